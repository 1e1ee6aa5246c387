// Before something is sealed into a conversation: its people's entries are proven and of today, and one-time keys are
// here for the devices that a new chain will be granted to (FORMATS.md 2.4).
//
// Takes the core's lock and lets go of it while the network answers. Errors: Sync::bring_up's. One-time keys are worth
// one question and no wait beyond it: without them the chain is sealed to day keys.
#pragma once

#include "engine/compose.hpp"
#include "engine/sync.hpp"

namespace nimes::agent::engine {

Result<void> ready_to_seal(Lock& lock, Core& core, Sync& sync, const Compose& compose, const ConversationId& id);

}  // namespace nimes::agent::engine
