// An administrator's word for changes of a group that are in doubt (doubts.hpp).
//
// Call with the core's lock held. Errors: Errc::conversation_unknown; epoch_conflict where they are others than the
// person saw; usage (not looked at); forbidden: no administrator before and with them, or they close the group.
#pragma once

#include <optional>

#include "engine/compose.hpp"

namespace nimes::agent::engine {

// The event by which everybody takes what is in doubt: the whole roster once more, signed here. `seen` is the state
// that the person looked at. Without it nothing may be in doubt here: then the roster that is held is said once more,
// for others may not have applied it. Nothing changes here before the gateway took it.
Result<ConvEvent> confirm(const Core& core, const Compose& compose, const ConversationId& group,
                          const std::optional<Digest>& seen);

}  // namespace nimes::agent::engine
