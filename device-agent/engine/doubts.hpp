// Changes of a group that a device made which was revoked since, and that no administrator built on: whoever had
// applied them before goes on with them, whoever had not does not, for a thief could have made them (FORMATS.md 2.5,
// Doubt). Kept beside the group until something is applied that they do not follow on, or an administrator's word is
// (confirm.hpp).
//
// Call with the core's lock held. Errors: storage.
#pragma once

#include "engine/core.hpp"

namespace nimes::agent::engine {

// Fetched to the newest epoch, and right in all else. The person is told at once, and again a day later if they are
// others then. Ignored for a group that is none of this person's, and beyond kMostDoubted groups.
inline constexpr std::size_t kMostDoubted = 16;
Result<void> note_doubt(Core& core, container::Transaction& tx, const conversation::ConversationState& doubted);
// `state` is what the group is now: a doubt that stands on anything else is over.
Result<void> drop_doubt(Core& core, container::Transaction& tx, const conversation::ConversationState& state);
Result<void> load_doubts(Core& core, container::Transaction& tx);

// Does this person's word count: an administrator of the group before these changes and with them?
bool may_confirm(const Core& core, const conversation::ConversationState& doubted);

}  // namespace nimes::agent::engine
