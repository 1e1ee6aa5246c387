// How long a connection may be silent before it is asked whether it still lives. What is learned belongs to a network:
// operators' address translators forget a silent connection after 30 s here, after half an hour there, and say nothing.
//
// MQTT fixes its keepalive at CONNECT, so it grows from connect to connect; in between, pings of our own come after
// ever longer silences, up to it. A ping that is answered proves its silence; one that is not has found the path's
// limit, which is then kept away from, and tried again much later. Pure: no clock. Threads: one.
#pragma once

#include "nimes/time.hpp"

namespace nimes::agent::transport {

class Keepalive {
  public:
    struct Limits {
        Millis least = 60 * kSecond;
        Millis most = 900 * kSecond;
        Millis first = 240 * kSecond;  // on a network not known yet
    };
    // What is remembered of one network.
    struct Path {
        Millis silence = 0;       // a ping comes after it; 0: nothing known
        Millis fell = 0;          // the shortest silence that the path did not survive; 0: none known
        std::uint32_t stood = 0;  // pings answered at the longest silence that `fell` allows
        bool operator==(const Path&) const = default;
    };

    Keepalive() : Keepalive(Limits{}) {}
    explicit Keepalive(Limits limits) : limits_(limits) {}

    // Before CONNECT. `cap`: the longest keepalive that the broker allowed; 0: not known.
    void begin(const Path& remembered, Millis cap);
    // For CONNECT; whole seconds.
    [[nodiscard]] Millis said() const { return said_; }
    // The broker's Server Keep Alive (MQTT 5, 3.2.2.3.14) overrules what was said.
    void overruled(Millis by);
    // Ping after so long without a packet in either direction. Below said(): the broker's own limit never comes first.
    [[nodiscard]] Millis silence() const { return path_.silence; }
    // A packet after this silence was answered; it was not, and the connection is given up.
    void survived(Millis silence);
    void died(Millis silence);
    [[nodiscard]] const Path& path() const { return path_; }

  private:
    [[nodiscard]] Millis longest() const;
    Limits limits_;
    Millis said_ = 0;
    Path path_;
};

}  // namespace nimes::agent::transport
