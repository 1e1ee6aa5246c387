// Changes of a group that a device made which was revoked since, and that no administrator built on: whoever had
// applied them before goes on with them, whoever had not does not, for a thief could have made them (FORMATS.md 2.5).
// It ends by the word of an administrator, who looks at what they come to.
//
// Call with the core's lock held. Errors: Errc::conversation_unknown, forbidden (no administrator, before or with
// them), storage.
#pragma once

#include "engine/compose.hpp"

namespace nimes::agent::engine {

// Fetched, right in all else, and in doubt. Tells the person once for each newest epoch.
Result<void> note_doubt(Core& core, container::Transaction& tx, const conversation::ConversationState& doubted);

// Takes what is in doubt, and answers the event by which everybody else does: the whole roster once more, signed here.
// Where nothing is in doubt here, it is so perhaps at others, and the same event mends it.
Result<ConvEvent> confirm(Core& core, const Compose& compose, const ConversationId& group);

}  // namespace nimes::agent::engine
