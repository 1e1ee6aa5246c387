// When this store accepted something, so that a device can tell whether what it was told is in it.
//
// Times of commits rise, whatever the clock does, and with each the store notes the newest one. A process that starts
// notes a gap: between the newest commit that the store knows and its own start this store accepted nothing. A device
// that was told of an acceptance in a gap was told so by a store that is gone: this one was put back to an older state,
// and what it lacks is submitted again (Welcome.gaps in transport.proto). This holds whatever was accepted since.
//
// Used from the mailroom's thread only. Errors are the store's.
#pragma once

#include <vector>

#include "nimes/time.hpp"
#include "store/store.hpp"

namespace nimes::gateway::mailbox {

// Nothing was accepted later than `after` and earlier than `until`.
struct Gap {
    Millis after = 0;
    Millis until = 0;
    bool operator==(const Gap&) const = default;
};

class Spans {
  public:
    static constexpr Millis kKept = 3 * kDay;  // longer than devices remember
    static constexpr std::size_t kMost = 64;

    explicit Spans(store::Store& store) : store_(store) {}
    // Notes the gap that ends with this process's start. Once; to be repeated when it failed.
    Result<void> open(Millis started);
    [[nodiscard]] bool is_open() const { return open_; }

    // The time of a commit at `now`: above all in which something was accepted.
    [[nodiscard]] Millis time(Millis now) const;
    // Goes with a commit that accepts something.
    store::Batch take(Millis time);
    [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }

  private:
    void join_nearest();

    store::Store& store_;
    bool open_ = false;
    Millis newest_ = 0;
    std::vector<Gap> gaps_;  // oldest first
};

}  // namespace nimes::gateway::mailbox
