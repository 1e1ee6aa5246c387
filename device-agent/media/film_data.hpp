// What of a film's data belongs to a track that is kept; all the rest does not leave. Private to film_*.cpp.
//
// First the boxes of data, in order; then what lies in them, in any; then the rest, once. Memory: two numbers for each
// place that does not go on from the one before it. Threads, ownership: none. Errors: Errc::malformed where a place
// lies in no box of data, or one is of a track that is kept and of one that goes; too_large.
#pragma once

#include "media/film_track.hpp"

namespace nimes::agent::media {

class FilmData {
  public:
    explicit FilmData(std::size_t places) : room_(places) {}

    void box(Extent data) { boxes_.push_back(data); }
    Result<void> keep(const Chunk& chunk);
    // Whatever begins there: up to the next data of any track. Elsewhere than in data it is nothing to us.
    Result<void> keep_from(std::uint64_t at);
    Result<void> leave(Extent extent);
    Result<void> each_other(const std::function<Result<void>(Extent)>& add);

  private:
    using Extents = std::vector<Extent>;
    [[nodiscard]] const Extent* box_of(Extent extent) const;
    Result<void> put(Extents& into, Extent extent);
    void keep_what_may_be();

    std::size_t room_;
    Extents boxes_, kept_, left_;
    Extents maybe_;  // behind what is kept for sure
};

}  // namespace nimes::agent::media
