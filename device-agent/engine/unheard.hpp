// When to try another broker: this one takes what is said, and nobody behind it reads it.
//
// The gateway may be away from all of them; so each move that helped nothing doubles the time until the next. Times are
// of the boot clock. Threads: one.
#pragma once

#include <algorithm>

#include "nimes/time.hpp"

namespace nimes::agent::engine {

class Unheard {
  public:
    static constexpr Millis kFirst = 30 * kSecond, kMost = 15 * kMinute;

    [[nodiscard]] bool now() const { return silent_; }
    // True when it was heard before.
    bool silent(Millis boot) {
        if (silent_) return false;
        silent_ = true;
        next_move_ = boot + patience_;
        return true;
    }
    void heard() { silent_ = false, patience_ = kFirst; }
    // Of another connection nobody knows yet.
    void connected() { silent_ = false; }
    // Where there is no other broker, it stays unheard here.
    bool moves(Millis boot) {
        if (!silent_ || boot < next_move_) return false;
        patience_ = std::min(2 * patience_, kMost);
        next_move_ = boot + patience_;
        return true;
    }

  private:
    bool silent_ = false;
    Millis next_move_ = 0;
    Millis patience_ = kFirst;
};

}  // namespace nimes::agent::engine
