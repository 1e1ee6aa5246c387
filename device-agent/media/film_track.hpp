// Where a film has the data of its tracks: by the tables of its index, and by those of its fragments. Private to
// film_*.cpp.
//
// Threads, ownership: none; `add` is told of each place, in the table's order. Errors: Errc::malformed where a table is
// not whole, is longer than the limit, or leaves open where the data are; whatever `look` and `add` say.
#pragma once

#include <map>

#include "media/film_box.hpp"

namespace nimes::agent::media {

// Data of one track in a row. Up to `sure.to` they are there by any reading of the tables, up to `at_most` by that of
// some players; UINT64_MAX: how far cannot be told.
struct Chunk {
    Extent sure;
    std::uint64_t at_most;
};
Result<void> each_chunk(Boxes& boxes, const Box& track, bool sound, const std::function<Result<void>(Chunk)>& add);

// Where something begins that belongs to a track's samples and is none: what decrypts them (saio). Of a track, and of
// whatever holds such boxes, whose places count from `base`.
Result<void> each_beside(Boxes& boxes, const Box& track, const std::function<Result<void>(std::uint64_t)>& add);
Result<void> each_beside(Boxes& boxes, const Box& parent, std::uint64_t base,
                         const std::function<Result<void>(std::uint64_t)>& add);

// By a track's number, how long its samples in fragments are where these say nothing.
using DefaultSizes = std::map<std::uint32_t, std::uint32_t>;
Result<void> read_defaults(Boxes& boxes, const Box& mvex, DefaultSizes& out);

struct FragmentPlaces {
    std::function<Result<void>(std::uint32_t track, Extent)> samples;
    std::function<Result<void>(std::uint64_t)> beside;
};
// Of one fragment (8.8).
Result<void> each_run(Boxes& boxes, const Box& moof, const DefaultSizes& sizes, const FragmentPlaces& add);

}  // namespace nimes::agent::media
