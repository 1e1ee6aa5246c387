// Making events: what a member signs to create, change or leave a group (FORMATS.md 2.5). Pure; thread safe.
// Errors: Errc::not_a_member, malformed (a conversation of two, or one that is not forked); whether the rest fits the
// roster is apply()'s to say.
#pragma once

#include "conversation/roster_state.hpp"
#include "nimes/directory_head.hpp"

namespace nimes::agent::conversation {

// Who makes it, with what, and under which head.
struct EventMaker {
    EventMaker(const UserId& by, const DeviceId& on, const SigningKey& key, const DirectoryHead& under, Millis at)
        : user(by), device(on), identity(key.copy()), head(under), now(at) {}

    UserId user;
    DeviceId device;
    SigningKey identity;  // a copy that dies with the maker, which lives as long as one event takes
    DirectoryHead head;
    Millis now = 0;
};

// The maker becomes its administrator; the others post, or only read where few are to announce.
ConvEvent create_group(const EventMaker& maker, std::vector<UserId> others, RandomSource& random,
                       MemberRole others_role = MemberRole::poster);
Result<ConvEvent> change_group(const EventMaker& maker, const ConversationState& state, std::vector<RosterItem> items);
// The whole roster once more, changing nothing.
Result<ConvEvent> restate_group(const EventMaker& maker, const ConversationState& state);
// For good: nothing follows it.
Result<ConvEvent> close_group(const EventMaker& maker, const ConversationState& state);
// Ends a fork, over those who are in both branches. The maker must be an administrator of both.
Result<ConvEvent> mend_group(const EventMaker& maker, const ConversationState& state);

}  // namespace nimes::agent::conversation
