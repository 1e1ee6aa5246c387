// Photo, step 1, of a still in boxes (ISO/IEC 23008-12: HEIC as phones make it, AVIF), and what of it does not leave.
//
// Kept are the pictures, with their small ones, depth and brightness maps, and the properties that showing them needs;
// how one is turned is such a property (irot, imir), so nothing is lost with Exif. Every other item (Exif, XMP, what
// a maker says in words) is renamed `free`, and all of `mdat` and `idat` that no picture lies in is zeroed. Every other
// box becomes a `free` one of the same length, full of zeros: udta, uuid, and what is appended. Names of items are
// zeroed, too. No offset moves.
// Not looked into: the compressed pictures themselves.
//
// Pure but for `look`. Hostile input: as with films (film_boxes.hpp). Errors: Errc::malformed (a box or place that does
// not fit, an item of a kind that is not known here, a picture and something else in one place, data in other files,
// sequences of pictures), too_large.
#pragma once

#include "media/film_boxes.hpp"

namespace nimes::agent::media {

// By the first bytes: its type, "image/heic", "image/avif" or "image/heif"; nullptr of anything else.
const char* heif_type(ByteView head);
inline bool is_heif(ByteView head) { return heif_type(head) != nullptr; }
Result<Personal> look_through_heif(const Look& look, std::uint64_t size, const FilmLimits& limits = {});

}  // namespace nimes::agent::media
