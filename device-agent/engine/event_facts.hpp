// Who signed a group's event, as far as this device knows, and what its person is told of an appointment
// (FORMATS.md 2.5).
//
// What is missing is asked for through the core's wanted_*; call again when it came. Call with the lock held; the facts
// point into the directory and live until it changes. Errors are the store's.
#pragma once

#include "conversation/roster_state.hpp"
#include "engine/core.hpp"

namespace nimes::agent::engine {

conversation::ActorFacts event_facts(Core& core, const ConvEvent& event);

// The organisation appoints nobody unseen. Nothing is told of what a member signed.
Result<void> tell_appointment(Core& core, container::Transaction& tx, const conversation::ConversationState& state,
                              const ConvEvent& event);

}  // namespace nimes::agent::engine
