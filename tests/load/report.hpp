// What a run of the load client counts and measures, and how it says so. Values; one thread.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "loop.hpp"

namespace nimes::load {

// Times in microseconds, in buckets at most 1.6 % wide: 64 for each power of two.
class Histogram {
  public:
    void add(Micros time);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] double quantile_ms(double q) const;  // 0 without values
    [[nodiscard]] nlohmann::json json() const;         // count, p50, p90, p99, p999, max in ms

  private:
    static constexpr unsigned kPerPower = 64;
    static std::size_t bucket(std::uint64_t value);
    static double middle(std::size_t bucket);
    std::array<std::uint64_t, kPerPower * 40> buckets_{};
    std::uint64_t count_ = 0;
    Micros max_ = 0;
};

// Of messages unless said otherwise. `lost` must be 0 at the end of a run, and so must what follows it.
struct Counts {
    std::uint64_t sent = 0;      // handed to the network for the first time
    std::uint64_t accepted = 0;  // the gateway has them on disk
    std::uint64_t rejected = 0;
    std::uint64_t resent = 0;        // without an answer in time, or after a reconnect
    std::uint64_t most_resends = 0;  // of one message
    std::uint64_t delivered = 0;     // at a device for the first time
    std::uint64_t sent_again = 0;    // envelopes at or below the device's mark: dropped there, as the agent does
    std::uint64_t lost = 0;          // accepted, and not delivered to somebody who should have it
    std::uint64_t duplicates = 0;    // shown twice: one message under two sequence numbers
    std::uint64_t out_of_order = 0;  // of one sender, behind a later one
    std::uint64_t gaps = 0;          // a sequence number that is not the next
    std::uint64_t undecryptable = 0;
    std::uint64_t malformed = 0;  // packets that are no nimes.v1.Down
    std::uint64_t connects = 0, refused = 0, disconnects = 0;
    std::uint64_t up_packets = 0, down_packets = 0;

    [[nodiscard]] nlohmann::json json() const;
    [[nodiscard]] bool faultless() const;
};

// CPU seconds of this process so far.
double cpu_seconds();

}  // namespace nimes::load
