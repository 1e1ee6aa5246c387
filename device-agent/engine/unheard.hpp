// When to try another broker: this one takes what is said, and nobody behind it reads it.
//
// The gateway may be away from all of them; so each move that helped nothing doubles the time until the next. Times are
// of the boot clock. Threads: one.
#pragma once

#include <algorithm>
#include <optional>

#include "nimes/time.hpp"

namespace nimes::agent::engine {

class Unheard {
  public:
    static constexpr Millis kFirst = 30 * kSecond, kMost = 15 * kMinute;

    [[nodiscard]] bool now() const { return since_.has_value(); }
    // True when it was heard before.
    bool silent(Millis boot) {
        if (since_) return false;
        since_ = boot;
        return true;
    }
    void heard() { since_.reset(), patience_ = kFirst; }
    // Of another connection nobody knows yet.
    void connected() { since_.reset(); }
    bool moves(Millis boot) {
        if (!since_ || boot < *since_ + patience_) return false;
        since_.reset();
        patience_ = std::min(2 * patience_, kMost);
        return true;
    }

  private:
    std::optional<Millis> since_;
    Millis patience_ = kFirst;
};

}  // namespace nimes::agent::engine
