// What this device owes by itself, without anybody asking: receipts, reports on recalls, requests for what is missing,
// the end of what was to vanish, and of media that were deleted.
//
// Nothing is kept in memory alone: each duty stands at its message until it is done, so a crash repeats it at most.
// Called by the link once a second, with the core's lock held; it lets go of it while the network answers. Errors are
// the store's.
#pragma once

#include "engine/compose.hpp"
#include "engine/monitor.hpp"
#include "engine/recovery.hpp"
#include "engine/removals.hpp"
#include "engine/sync.hpp"

namespace nimes::agent::engine {

class Duties {
  public:
    Duties(Core& core, Sync& sync, Compose& compose)
        : core_(core),
          sync_(sync),
          compose_(compose),
          recovery_(core, compose),
          monitor_(core, sync.network()),
          removals_(core, sync.network()) {}

    static constexpr Millis kReceiptPause = 5 * kSecond;  // between two of one conversation

    // True when the outbox grew. online: also what needs the gateway.
    Result<bool> run(Lock& lock, bool online);

  private:
    Result<bool> receipts(Lock& lock);
    Result<bool> reports(Lock& lock);
    Result<bool> say(Lock& lock, const ConversationId& conversation, conversation::Meaning meaning);
    Result<void> vanish();
    void catch_up(Lock& lock);
    Result<void> judge_newer_epochs();
    // Where an act on a message goes: readers have no chain in the group and write to the author alone.
    std::optional<ConversationId> place_for(const StoredMessage& message);

    Core& core_;
    Sync& sync_;
    Compose& compose_;
    Recovery recovery_;
    Monitor monitor_;
    Removals removals_;
    std::map<ConversationId, Millis> next_receipt_;  // boot clock
    Millis next_ask_ = 0;
    Millis next_catch_up_ = 0;  // 0: nothing moved
};

// The conversation in which `acting` tells of something it does to a message of `author`: see place_for.
ConversationId act_place(const conversation::ConversationState& state, const UserId& acting, const UserId& author);
// The conversation of two with that user; made when it is not there.
Result<ConversationId> pair_with(Core& core, const UserId& other);

}  // namespace nimes::agent::engine
