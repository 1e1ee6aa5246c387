// When to try again: full jitter over a window that doubles with each failure, so that fifty thousand handsets that
// lost one broker do not come back at once. It never gives up; who must stop (a revoked device) stops the session.
// Pure: no clock, no sleeping. Threads: one.
#pragma once

#include "nimes/time.hpp"

namespace nimes::agent::transport {

class ReconnectPolicy {
  public:
    struct Limits {
        Millis first = 2 * kSecond;     // window after the first failure
        Millis most = 5 * kMinute;      // widest window
        Millis settled = 30 * kSecond;  // a connection that lived shorter counts as a failure
    };

    ReconnectPolicy() : ReconnectPolicy(Limits{}) {}
    explicit ReconnectPolicy(Limits limits) : limits_(limits) {}

    // An attempt failed, or a connection ended after `lived`. How long to wait before the next attempt.
    Millis after_failure(RandomSource& random) { return wait(false, random); }
    Millis after_disconnect(Millis lived, RandomSource& random) { return wait(lived >= limits_.settled, random); }
    // The server asked for it: the next wait is at least uniform in [0, spread]. Used once.
    void spread(Millis spread);
    // The network came back, or a person asked: begin with small windows again.
    void forget_failures() { failures_ = 0; }
    [[nodiscard]] unsigned failures() const { return failures_; }

  private:
    Millis wait(bool settled, RandomSource& random);
    Limits limits_;
    unsigned failures_ = 0;
    Millis spread_ = 0;
};

// Uniform in [0, bound], without bias.
Millis uniform(Millis bound, RandomSource& random);

}  // namespace nimes::agent::transport
