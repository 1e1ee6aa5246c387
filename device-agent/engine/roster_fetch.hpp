// The events of a group that this device lacks: a joiner's from the creation on, a latecomer's from where it stands
// (FORMATS.md 2.5).
//
// The whole chain is verified, each event by its actor's proven entry and the head it names; nothing is taken on the
// gateway's word. What cannot be had now is wanted again when something names it again. Functions take the core's lock
// and let go of it while the network answers. Errors: the store's.
#pragma once

#include "engine/sync.hpp"

namespace nimes::agent::engine {

class RosterFetch {
  public:
    RosterFetch(Core& core, Network& network, Sync& sync) : core_(core), network_(network), sync_(sync) {}

    // True when a roster moved.
    Result<bool> fetch(Lock& lock);

  private:
    Result<bool> fetch_one(Lock& lock, const ConversationId& id);
    conversation::Taken judge(const ConversationId& id, const std::vector<ConvEvent>& events,
                              std::optional<conversation::ConversationState>& state);
    Result<void> doubt(const conversation::ConversationState& doubted);
    Result<void> store(const conversation::ConversationState& state, std::span<const ConvEvent> taken,
                       std::uint64_t from);

    Core& core_;
    Network& network_;
    Sync& sync_;
};

}  // namespace nimes::agent::engine
