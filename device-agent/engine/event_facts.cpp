#include "engine/event_facts.hpp"

#include "engine/view.hpp"

namespace nimes::agent::engine {
namespace {

using conversation::ActorFacts;
using directory::HeldDirectory;

ActorFacts::Head named_head(Core& core, const ConvEvent& e) {
    switch (core.directory->judge_named(e.dir_revision, e.dir_head, e.ts)) {
        case HeldDirectory::Named::verified:
            return ActorFacts::Head::verified;
        case HeldDirectory::Named::failed:
            return ActorFacts::Head::failed;
        case HeldDirectory::Named::unknown:
            break;
    }
    core.want_head(e.dir_revision);
    return ActorFacts::Head::unknown;
}

}  // namespace

ActorFacts event_facts(Core& core, const ConvEvent& e) {
    ActorFacts out;
    out.head = named_head(core, e);
    if (e.by_organisation()) {
        out.entry_known = true;
        out.keys = &core.directory->keys();
        if (const auto head = core.directory->known(e.dir_revision)) out.head_ts = head->ts;
        out.entry_of = [&core, under = e.dir_revision](const UserId& user) -> const DirectoryEntry* {
            const auto* held = core.directory->find(user);
            if (held != nullptr && held->revision >= under) return &held->entry;
            core.wanted_users.insert(user);
            return nullptr;
        };
        return out;
    }
    // An entry that lacks the device may be older than what names it: then it is looked up again before it is judged.
    const auto* held = core.directory->find(e.actor_user);
    if (held != nullptr) out.cert = held->entry.cert(e.actor_device);
    const bool older = held == nullptr || (out.cert == nullptr && held->revision < e.dir_revision);
    if (older || core.stale.contains(e.actor_user)) core.wanted_users.insert(e.actor_user);
    if (older || (out.cert == nullptr && core.stale.contains(e.actor_user))) return out;
    out.entry_known = true;
    out.revoke = held->entry.revoke(e.actor_device);
    return out;
}

Result<void> tell_appointment(Core& core, container::Transaction& tx, const conversation::ConversationState& state,
                              const ConvEvent& event) {
    if (!event.by_organisation()) return {};
    const auto& user = event.items.at(0).user;
    auto title = title_of(core, state);
    auto name = user == core.own().user ? std::string("you") : name_of(core, user);
    if (title.empty()) title = "a group without a title here";
    if (name.empty()) name = "a member";
    return core.raise_alarm(tx, "the organisation made " + name + " an administrator of " + title +
                                    ": of those it had, none has a device any more");
}

}  // namespace nimes::agent::engine
