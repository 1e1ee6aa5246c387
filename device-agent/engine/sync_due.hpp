// When the directory is asked: after each connect once the mailbox is empty, when something moved, and now and then.
//
// What waits in the mailbox comes first, for on a slow link the directory's answers would stand in its way; but not
// longer than kPatience, and what concerns this device itself does not wait. Times are of the boot clock, ms. Pure.
#pragma once

#include <algorithm>

#include "nimes/time.hpp"

namespace nimes::agent::engine {

class SyncDue {
  public:
    static constexpr Millis kEvery = 12 * kHour;
    static constexpr Millis kAgain = kMinute;  // after it did not answer
    static constexpr Millis kPatience = 2 * kMinute;

    // Was it due before, the patience began then: a connection that falls every minute must not put it off for ever.
    void connected(Millis now) {
        connected_ = now;
        if (next_ == 0 || next_ > now) next_ = now;
    }
    // This device's own entry moved, or its one-time keys are used up.
    void wanted(Millis now) { next_ = std::min(next_, now); }
    [[nodiscard]] bool due(Millis now, bool mailbox_empty, bool concerns_us) const {
        return now >= next_ && (mailbox_empty || concerns_us || now >= next_ + kPatience);
    }
    void asked(Millis now, bool answered) { next_ = now + (answered ? kEvery : kAgain); }
    // Since the last connect, whatever it said.
    [[nodiscard]] bool was_asked() const { return next_ > connected_; }

  private:
    Millis next_ = 0;
    Millis connected_ = 0;
};

}  // namespace nimes::agent::engine
