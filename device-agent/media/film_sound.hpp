// How long the chunks of an old sound are (Apple, QuickTime File Format, "Sound sample descriptions"). Private to
// film_track.cpp.
//
// Where all samples of a sound are said to have one size, players do not go by it: a sample is one moment of all
// channels, and how many of them lie in how many bytes the description has. The table says 1 there, or what one channel
// takes, or what is right. Where the description is one that is not known here, it cannot be told.
#pragma once

#include <vector>

#include "media/film_box.hpp"

namespace nimes::agent::media {

class SoundSize {
  public:
    // Of a track whose table says it all.
    static SoundSize exact() { return SoundSize(true); }
    // By the stsd in a stbl. Errors: what `look` says, and boxes that do not fit.
    static Result<SoundSize> described(Boxes& boxes, const Box& stbl, std::uint64_t one_size);

    [[nodiscard]] bool is_exact() const { return exact_; }
    // Bytes of so many samples by the shortest and by the longest reading; of the second UINT64_MAX: it cannot be told.
    // Not of one that is exact.
    [[nodiscard]] std::uint64_t at_least(std::uint64_t samples) const;
    [[nodiscard]] std::uint64_t at_most(std::uint64_t samples) const;

  private:
    struct Form {
        std::uint64_t samples, bytes;  // so many of the one lie in so many of the other
        [[nodiscard]] std::uint64_t of(std::uint64_t count) const { return (count + samples - 1) / samples * bytes; }
    };
    explicit SoundSize(bool exact) : exact_(exact) {}
    void read(const Boxes& boxes, const Box& entry);
    bool add(std::uint64_t samples, std::uint64_t bytes);
    bool by_name(const Box& entry, std::uint64_t channels, std::uint64_t bits);

    bool exact_, known_ = true;
    std::vector<Form> forms_;
};

}  // namespace nimes::agent::media
