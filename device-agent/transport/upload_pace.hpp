// How fast an upload may go so that what is said beside it is not delayed: all connections of a handset share one slow
// link, and what waits in its queue stands in front of every text.
//
// The queue shows in the round trip (as in LEDBAT, RFC 6817): longer than the least by more than a share of it and two
// packets (the kernel sends them in pairs), and the upload goes below the rate at which the link delivers, until the
// queue is gone; no queue, and it goes faster step by step. Near servers (kNear) are never slowed down. Pure: the
// caller's clock. Threads: one.
#pragma once

#include <cstdint>
#include <optional>

#include "nimes/time.hpp"

namespace nimes::agent::transport {

// What the kernel knows of one TCP connection (tcp(7), TCP_INFO).
struct PathSample {
    std::uint64_t rtt_us = 0;        // smoothed
    std::uint64_t least_rtt_us = 0;  // of the last minutes
    std::uint64_t delivered = 0;     // packets that arrived since the connection began
    std::uint64_t packet = 1;        // bytes of one
};

class UploadPace {
  public:
    static constexpr std::uint64_t kUnlimited = 0;
    static constexpr std::uint64_t kNear = 20'000;        // µs of round trip
    static constexpr std::uint64_t kFast = 8'000'000;     // bytes/s: as fast as that needs no pace
    static constexpr std::uint64_t kLeast = 1'000;        // bytes/s
    static constexpr std::uint64_t kShortQueue = 50'000;  // µs that nobody notices

    // Bytes/s that the connection may send from now on, when that changed; kUnlimited: as fast as it can.
    std::optional<std::uint64_t> heard(const PathSample& sample, Millis boot);
    // Another connection or request begins, or nothing was under way: what passed until now tells nothing of the link.
    // The rate stays what it taught.
    void pause() { window_ = {}; }
    [[nodiscard]] std::uint64_t rate() const { return rate_; }

  private:
    struct Window {
        Millis began = 0;
        std::uint64_t delivered = 0;
        bool open = false;
    };
    void judge(const PathSample& sample, std::uint64_t delivered_rate);

    Window window_;
    std::uint64_t rate_ = kUnlimited;
    std::uint64_t link_ = 0;  // bytes/s at which a queue stood last; 0: none was seen
    bool begun_ = false;
};

}  // namespace nimes::agent::transport
