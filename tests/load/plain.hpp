// The peer of the benchmarks: plain MQTT 5 clients with QoS 1 on the same loop, connection and codec as the devices, so
// that a difference is the servers' and not the client's. Topics have the length of a device's.
//
// Threads: one. Errors: Errc::unavailable when clients cannot connect, timed_out when what was sent does not come.
#pragma once

#include "workload.hpp"

namespace nimes::load {

struct PlainPlan {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string ca;  // empty: plain TCP
    unsigned sources = 8;
    std::size_t pairs = 50;
    std::size_t window = 20;  // publishes without PUBACK, of each publisher
    double rate = 0;          // messages a second in all, instead of a window
    std::size_t bytes = 240;
    bool durable = false;  // the broker keeps the subscribers' sessions, so a broker that saves has something to save
};

struct PlainResult {
    Window window;
    Histogram accept_time, deliver_time;
};
Result<PlainResult> run_plain_pairs(const PlainPlan& plan, const Timing& timing);
// One publisher, `pairs` subscribers with a topic each; a round is one message to every topic.
Result<FanoutTimes> run_plain_fanout(const PlainPlan& plan, std::size_t rounds, const Timing& timing);

}  // namespace nimes::load
