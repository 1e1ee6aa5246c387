#include "engine/confirm.hpp"

#include "engine/doubts.hpp"

namespace nimes::agent::engine {

Result<ConvEvent> confirm(const Core& core, const Compose& compose, const ConversationId& group,
                          const std::optional<Digest>& seen) {
    const auto held = core.conversations.find(group);
    const auto doubt = core.doubted.find(group);
    const bool known = held != core.conversations.end(), doubted = doubt != core.doubted.end();
    if ((!known && !doubted) || (known && held->second.is_pair())) return fail(Errc::conversation_unknown);
    const auto& after = doubted ? doubt->second.state : held->second;
    const std::string look = "look at it first: nimes-agent group show prints what to confirm";
    if (doubted && !seen) return fail(Errc::usage, look);
    if (seen && *seen != after.now().state)
        return fail(Errc::epoch_conflict, "this group has come to something else; " + look);
    if (!may_confirm(core, after))
        return fail(Errc::forbidden, "only who administers the group before these changes and with them confirms them");
    if (after.now().closed) return fail(Errc::forbidden, "these changes close the group for good: make another one");
    auto maker = compose.maker();
    if (!maker) return pass(maker);
    return conversation::restate_group(*maker, after);
}

}  // namespace nimes::agent::engine
