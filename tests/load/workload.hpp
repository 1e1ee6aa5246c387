// What devices do once they are there: talk in pairs as fast as a window allows or at a rate, tell everyone at once, or
// only be connected. Each run ends with a drain: everything accepted and delivered, or counted as lost.
//
// Threads: one. Errors: Errc::timed_out when something that must come does not.
#pragma once

#include "fleet.hpp"

namespace nimes::load {

struct Timing {
    double warm_seconds = 1;
    double seconds = 5;
    double patience_seconds = 60;
    std::function<bool()> enough;  // ends what is measured before its time
};

// What happened while it was measured.
struct Window {
    double seconds = 0;
    std::uint64_t accepted = 0, delivered = 0;
    double cpu_seconds = 0;
    [[nodiscard]] nlohmann::json json() const;
};

// The first half sends to the second half, each to one partner.
struct PairsPlan {
    std::size_t senders = 0;  // 0: half of the devices
    std::size_t window = 20;  // not accepted yet, of each sender
    double rate = 0;          // messages a second in all, instead of a window
};
Result<Window> run_pairs(Fleet& fleet, Ledger& ledger, const PairsPlan& plan, const Timing& timing);

// Device 0 tells everyone of one group, `messages` times, one after the other. In milliseconds, for each message: until
// it was accepted, until half of the devices had it, until the last had it.
struct FanoutTimes {
    std::vector<double> accepted, median, last;
    [[nodiscard]] nlohmann::json json() const;
};
Result<FanoutTimes> run_fanout(Fleet& fleet, Ledger& ledger, std::size_t messages, const Timing& timing);

Result<Window> run_idle(Fleet& fleet, Ledger& ledger, const Timing& timing);

// Nothing is under way any more; false when that takes longer. Then losses are counted.
bool drain(Fleet& fleet, Ledger& ledger, const Timing& timing);

inline Micros micros(double seconds) { return static_cast<Micros>(seconds * 1e6); }

}  // namespace nimes::load
