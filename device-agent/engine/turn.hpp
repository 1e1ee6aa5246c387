// Does an envelope come in its turn? Its number says where it stands in its lane, and what stands before it
// (transport.proto). Behind something that got lost nothing is taken: an acknowledgement speaks for everything before
// it. Pure; threads: one.
#pragma once

#include <map>
#include <utility>

#include "nimes/v1/transport.pb.h"

namespace nimes::agent::engine {

enum class Turn : std::uint8_t { held, next, gap };

// `mark`: everything of the lane up to there is stored.
inline Turn turn_of(const v1::Envelope& envelope, std::uint64_t mark) {
    if (envelope.sequence() <= mark) return Turn::held;
    const auto before = envelope.has_after() ? envelope.after() : envelope.sequence() - 1;
    return before <= mark ? Turn::next : Turn::gap;
}

// Gaps that the gateway shall hear of: each once, for what was under way meanwhile shows the same one. It repeats by
// itself after a while, too.
class Gaps {
  public:
    void found(std::uint8_t lane, std::uint64_t mark) {
        const auto [at, fresh] = said_.try_emplace(lane, mark);
        due_ = due_ || fresh || at->second != mark;
        at->second = mark;
    }
    // True when there is something to say.
    bool take() { return std::exchange(due_, false); }

  private:
    std::map<std::uint8_t, std::uint64_t> said_;  // by lane: the mark behind which something is missing
    bool due_ = false;
};

}  // namespace nimes::agent::engine
