// Message, step 9, act: what a reaction, an edit, a deletion, a vote, a receipt does to the message it names.
// (Before: open.cpp, or compose.cpp for one's own. Shown by view.cpp.)
//
// An act may come before its message; it waits in its own table for as long as the policy keeps messages. A deletion
// takes the content away at once, in the same transaction. Call with the core's lock held. Errors are the store's.
#pragma once

#include "conversation/effects.hpp"
#include "engine/core.hpp"
#include "engine/message_rows.hpp"

namespace nimes::agent::engine {

// Seconds from the first showing, by what the message itself says; 0: with the retention.
std::uint32_t lifetime_of(const conversation::Meaning& meaning);

class Acts {
  public:
    explicit Acts(Core& core) : core_(core) {}

    // Files what `message` does to others, and does it where the other is here already.
    Result<void> take(container::Transaction& tx, const StoredMessage& message, const conversation::Meaning& meaning);
    // A message just came: what was to be done to it is done now. `message` is changed accordingly, and not stored.
    Result<void> settle(container::Transaction& tx, StoredMessage& message, const conversation::Meaning& meaning);
    Result<conversation::Face> face(container::Transaction& tx, const StoredMessage& message,
                                    const conversation::Meaning& meaning) const;

  private:
    Result<void> file(container::Transaction& tx, const conversation::MessageRef& target, conversation::Act act);
    [[nodiscard]] Roster roster_of(const StoredMessage& message) const;

    Core& core_;
};

}  // namespace nimes::agent::engine
