// Which conversations are due a new chain, and why (FORMATS.md 2.8).
//
// After a device was revoked or expired, or somebody was removed, the chains that they hold are not used again: the
// next message opens a new one. Until it is sent the chain is owed, and shown as such. Call with the core's lock held.
// Errors are the store's.
#pragma once

#include "engine/core.hpp"
#include "sealing/rotation.hpp"

namespace nimes::agent::engine {

sealing::SinceOpened since_opened(const Core& core, const conversation::ConversationState& state,
                                  const sealing::SendingChain& chain);

struct OwedChain {
    ConversationId conversation;
    std::string title;
    std::string reason;
};
// Those that are owed because somebody must not read on; a chain that is merely old is nothing to show.
Result<std::vector<OwedChain>> owed_chains(const Core& core);

}  // namespace nimes::agent::engine
