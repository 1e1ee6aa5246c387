// Photo, step 1, of a film: the boxes of a film or a recording (ISO/IEC 14496-12: MP4, 3GP, M4A; Apple's QuickTime File
// Format: MOV), and what of them does not leave.
//
// Kept is what a player needs to show picture and sound. Every other box becomes a `free` one of the same length, full
// of zeros, so that no offset moves: udta, meta, uuid and XMP at every level, position and serial numbers in them,
// whatever a maker invents, and the rest of what was there before in `free` boxes. Times of making and the names of
// handlers are zeroed. Tracks that are neither picture nor sound (a drone's or an action camera's position, timed
// metadata, subtitles, time codes) become `free`, too. Of `mdat` stays what the tables of picture and sound name as
// theirs, in the index and in fragments; all other bytes of it are zeroed: samples of the other tracks, and what a
// dashboard camera writes between them ("freeGPS " with positions), which no track names.
// Where tables say less than players know, more is kept, and picture and sound are whole: the samples of old sound have
// the size that their description says; where that is of an unknown kind, and where data for decryption begin (saio),
// all stays up to the next data of a track.
// Not looked into: the compressed picture and sound themselves, and what their description (stsd) says of the coder.
//
// Pure but for `look`. Hostile input: lengths are checked before they are believed, boxes, places and entries of tables
// are counted; memory is some ten MiB at most, whatever the file's length. Errors: Errc::malformed (a box that does not
// fit into what holds it, no index, tables or a fragment that do not tell where data lie, data of a track outside
// `mdat`, picture or sound where another track has its data, fragments beside a track that must go, `imda`), too_large.
#pragma once

#include "media/omissions.hpp"

namespace nimes::agent::media {

struct FilmLimits {
    std::size_t boxes = 1'000'000;  // some hours in fragments of a second
    std::size_t places = 1'000'000;
    std::size_t chunks = 2'000'000;  // places of data that do not go on from each other: hours, each frame for itself
    std::uint64_t entries = 10'000'000;  // of one table
};

// By the first bytes and the length: is it one of those? Stills in the same wrapping (HEIF, AVIF) are none.
bool is_film(ByteView head, std::uint64_t size);
Result<Personal> look_through_film(const Look& look, std::uint64_t size, const FilmLimits& limits = {});

}  // namespace nimes::agent::media
