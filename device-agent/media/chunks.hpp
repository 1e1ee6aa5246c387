// Photo, step 1, of a still in chunks: PNG (ISO/IEC 15948) and WebP (RFC 9649), and what of it does not leave.
//
// Kept are the chunks that hold picture, colour, transparency and animation; all others are cut out: Exif, XMP, texts,
// times, whatever a program invents, and what is behind the end. A turn that stands in Exif alone goes with it. Inside
// a frame of an animated WebP they become a `JUNK` of zeros, so that its length stays.
// Not looked into: the compressed picture; a colour profile's own words.
//
// Pure but for `look`. Hostile input: lengths are checked before they are believed, chunks are counted. Errors:
// Errc::malformed (cut, a chunk that does not fit, one of an unknown kind that a reader must know), too_large.
#pragma once

#include "media/film_boxes.hpp"

namespace nimes::agent::media {

// By the first bytes: "image/png" or "image/webp"; nullptr of anything else.
const char* chunked_type(ByteView head);
Result<Personal> look_through_chunks(const Look& look, std::uint64_t size, const FilmLimits& limits = {});

}  // namespace nimes::agent::media
