// How often one network may ask: token buckets in memory, bounded, the same for whatever is asked about.
//
// Threads: any. When the table is full, buckets that have filled up again go first (they say nothing), then a stranger
// is refused: memory cannot be grown from outside.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "nimes/error.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::enrolment {

struct Rate {
    std::uint32_t burst = 1;  // at once
    Millis refill = kSecond;  // one more each
};

// "192.0.2.7" as it is, IPv6 as its /64 (that is what one subscriber gets), IPv4 in IPv6 as IPv4; else the text itself.
std::string network_of(std::string_view peer);

class Limiter {
  public:
    Limiter(const Clock& clock, Rate rate, std::size_t max_networks = 65'536)
        : clock_(clock), rate_(rate), max_(max_networks) {}

    // Takes one. Errc::rate_limited.
    Result<void> take(const std::string& network);
    void sweep();
    [[nodiscard]] std::size_t size() const;

  private:
    struct Bucket {
        Millis full_at = 0;  // by Clock::boot(): when all tokens are back
    };
    void sweep_locked(Millis now);

    const Clock& clock_;
    const Rate rate_;
    const std::size_t max_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
    Millis swept_at_ = 0;
};

}  // namespace nimes::gateway::enrolment
