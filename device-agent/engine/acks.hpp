// When what arrived is acknowledged: a little later, so that several share one packet, or with the next packet that
// goes up anyway; at once when much has come, for then the gateway waits with more. Pure: the caller's clock. Threads:
// one.
#pragma once

#include "nimes/time.hpp"

namespace nimes::agent::engine {

class Acks {
  public:
    // Far below the 15 s after which the gateway sends again.
    static constexpr Millis kDelay = 200;
    // A quarter of the gateway's window, so that it never stands still for us.
    static constexpr std::size_t kAtOnce = 64;

    void stored(std::size_t envelopes, Millis boot) {
        if (envelopes == 0) return;
        if (count_ == 0) due_ = boot + kDelay;
        count_ += envelopes;
        if (count_ >= kAtOnce) due_ = boot;
    }
    [[nodiscard]] bool owed() const { return count_ > 0; }
    // Only while owed.
    [[nodiscard]] Millis due() const { return due_; }
    // Said, or told in the next Hello.
    void settled() { count_ = 0; }

  private:
    std::size_t count_ = 0;
    Millis due_ = 0;
};

}  // namespace nimes::agent::engine
