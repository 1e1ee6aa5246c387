// How fast a transfer goes, and what that is too slow for. Values; pure but for the clock's time that is handed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "nimes/time.hpp"

namespace nimes::agent::media {

class RateMeter {
  public:
    // Enough to tell EDGE from LTE: a second or two of a good network, four seconds of a bad one.
    static constexpr std::uint64_t kEnough = 192 * 1024;
    static constexpr Millis kLongEnough = 4 * kSecond;

    // `done` bytes of a transfer at `now` of the boot clock. What was there at the first call does not count.
    void saw(std::uint64_t done, Millis now) {
        if (!began_) {
            began_ = now;
            first_ = done;
        }
        bytes_ = done > first_ ? done - first_ : 0;
        time_ = now - *began_;
    }
    [[nodiscard]] bool measured() const { return began_ && (bytes_ >= kEnough || time_ >= kLongEnough); }
    // Bytes a second, at least 1; nullopt until it is measured: a transfer that fails at once says nothing.
    [[nodiscard]] std::optional<std::uint64_t> rate() const {
        if (!measured()) return std::nullopt;
        return std::max<std::uint64_t>(1, bytes_ * kSecond / std::max<Millis>(1, time_));
    }

  private:
    std::optional<Millis> began_;
    std::uint64_t first_ = 0, bytes_ = 0;
    Millis time_ = 0;
};

// A photo that would take longer than this goes in its small variant, unless somebody says otherwise.
inline constexpr Millis kPatience = 30 * kSecond;
constexpr bool too_slow(std::uint64_t bytes, std::uint64_t bytes_per_second) {
    return bytes * kSecond / std::max<std::uint64_t>(1, bytes_per_second) > kPatience;
}

}  // namespace nimes::agent::media
