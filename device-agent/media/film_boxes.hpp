// Photo, step 1, of a film: the boxes of a film or a recording (ISO/IEC 14496-12: MP4, 3GP, M4A; Apple's QuickTime File
// Format: MOV), and what of them does not leave.
//
// Kept is what a player needs to show picture and sound. Every other box becomes a `free` one of the same length, full
// of zeros, so that no offset moves: udta, meta, uuid and XMP at every level, position and serial numbers in them,
// whatever a maker invents, and the rest of what was there before in `free` boxes. Times of making and the names of
// handlers are zeroed. Tracks that are neither picture nor sound (a drone's or an action camera's position, timed
// metadata, subtitles, time codes) become `free`, too, and their samples in `mdat` are zeroed.
// Not looked into: bytes of `mdat` that no track names (some dashboard cameras put positions there), the compressed
// picture and sound themselves, and what their description (stsd) says of the coder.
//
// Pure but for `look`. Hostile input: lengths are checked before they are believed, boxes, places and entries of tables
// are counted; memory is some MiB at most, whatever the file's length. Errors: Errc::malformed (a box that does not fit
// into what holds it, no index, data of a track that lies elsewhere, fragments beside a track that must go), too_large.
#pragma once

#include "media/omissions.hpp"

namespace nimes::agent::media {

struct FilmLimits {
    std::size_t boxes = 500'000;  // some hours in fragments of a second
    std::size_t places = 200'000;
    std::uint64_t entries = 10'000'000;  // of the tables of one track that goes
};

// By the first bytes and the length: is it one of those? Stills in the same wrapping (HEIF, AVIF) are none.
bool is_film(ByteView head, std::uint64_t size);
Result<Personal> look_through_film(const Look& look, std::uint64_t size, const FilmLimits& limits = {});

}  // namespace nimes::agent::media
