// How many bytes may be under way to one device: little at first, more while acknowledgements come soon, so that the
// first message of many is shown at once on the worst network, and a good one is filled after a few rounds.
//
// What a window holds beyond the link's rate times its delay waits in queues on the way, where nothing urgent can
// overtake it: so a window no longer grows once an acknowledgement takes kSoon. Pure; the caller's clock.
#pragma once

#include <algorithm>
#include <cstddef>

#include "nimes/time.hpp"

namespace nimes::gateway::mailbox {

class Pace {
  public:
    // Saturates 64 kbit/s at a round trip of 600 ms.
    static constexpr std::size_t kFirst = 8 * 1024;
    static constexpr std::size_t kSmallestPacket = 2 * 1024;
    // A lost packet holds back all behind it for two round trips; with less than this in flight the link stands still
    // meanwhile (EDGE, 5 % loss: 0.76 of its rate with 2 s, 0.81 to 0.92 with 3 s).
    static constexpr Millis kSoon = 3 * kSecond;
    static constexpr Millis kLate = 8 * kSecond;

    [[nodiscard]] std::size_t window() const { return window_; }
    // Several packets fill a window: their acknowledgements come one after the other, and the next goes out meanwhile.
    [[nodiscard]] std::size_t packet() const { return std::max(kSmallestPacket, window_ / 4); }

    void acknowledged(std::size_t bytes, Millis took, std::size_t most) {
        if (took <= kSoon) window_ = std::min(std::max(most, kFirst), window_ + bytes);
        else if (took > kLate) window_ = std::max(kFirst, window_ / 2);
    }
    // No acknowledgement came in time.
    void lost() { window_ = kFirst; }

  private:
    std::size_t window_ = kFirst;
};

}  // namespace nimes::gateway::mailbox
