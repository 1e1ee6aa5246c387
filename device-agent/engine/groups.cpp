// Groups, from the outside in: who is in, who may post, what they are called.
#include <algorithm>

#include "engine/confirm.hpp"
#include "engine/doubts.hpp"
#include "engine/impl.hpp"
#include "engine/put_back.hpp"
#include "engine/roster_fetch.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::engine {
namespace {

using conversation::ConversationState;

GroupLine line_of(const Core& core, const ConversationState& state) {
    return {state.id, title_of(core, state), state.now().roster.size(), state.now().closed};
}

// The group of that title or id, as it stands now.
Result<const ConversationState*> find_group(const Core& core, const Result<ConversationId>& id) {
    if (!id) return fail(id.error().code, id.error().detail);
    const auto at = core.conversations.find(*id);
    if (at == core.conversations.end() || at->second.is_pair())
        return fail(Errc::conversation_unknown, "that is a person, not a group");
    return &at->second;
}

Result<void> administrator(const Core& core, const ConversationState& state) {
    const auto* own = state.member(core.own().user);
    if (own == nullptr || own->role != MemberRole::administrator)
        return fail(Errc::forbidden, "only administrators of the group do that");
    return {};
}

std::size_t administrators(const ConversationState& state) {
    const auto& roster = state.now().roster;
    return static_cast<std::size_t>(std::count_if(roster.begin(), roster.end(),
                                                  [](const Member& m) { return m.role == MemberRole::administrator; }));
}

Result<std::vector<RosterItem>> items_of(const ConversationState& state, RosterOp op, const std::vector<UserId>& users,
                                         MemberRole role) {
    std::vector<RosterItem> out;
    for (const auto& user : users) {
        const auto* member = state.member(user);
        if (op == RosterOp::add && member != nullptr) return fail(Errc::exists, "somebody of these is in the group");
        if (op != RosterOp::add && member == nullptr) return fail(Errc::not_found, "somebody of these is not in it");
        if (op == RosterOp::set_role && member->role == role) return fail(Errc::exists, "that is their role already");
        out.push_back({user, op == RosterOp::remove ? member->role : role, op});
    }
    const auto demoted = std::count_if(out.begin(), out.end(), [&](const RosterItem& item) {
        const auto* member = state.member(item.user);
        return member != nullptr && member->role == MemberRole::administrator;
    });
    if (op != RosterOp::add && static_cast<std::size_t>(demoted) == administrators(state))
        return fail(Errc::forbidden, "the last administrator stays: appoint another one first");
    return out;
}

}  // namespace

Result<void> Agent::Impl::change(Lock& lock, const Result<ConvEvent>& event, Millis patience) {
    if (!event) return fail(event.error().code, event.error().detail);
    if (!core.directory->head_fresh(core.now())) return fail(Errc::head_stale, "a change names a head of today");
    const auto id = compose.event(*event);
    if (!id) return fail(id.error().code, id.error().detail);
    return send_and_wait(lock, *id, patience);
}

Result<SentMessage> Agent::Impl::tell_info(Lock& lock, const ConversationId& group, const MessageId& id,
                                           Millis patience) {
    const auto& held = core.infos[group];
    conversation::Info info{held.title, {}, held.expires_after_s};
    if (!held.picture.is_zero()) {
        auto tx = core.box->begin();
        if (!tx) return pass(tx);
        auto row = tx->get(container::Table::media, to_bytes(held.picture.view()));
        if (!row) return pass(row);
        auto item = *row ? MediumItem::parse((*row)->value) : fail(Errc::not_found);
        if (item)
            info.picture = {std::move(item->key), held.picture, item->plain_length, item->padded_length, item->digest};
    }
    return say(lock, group, std::move(info), id, patience);
}

Result<GroupLine> Agent::create_group(const std::string& title, const std::vector<std::string>& with, MemberRole role,
                                      Millis patience, Candidates& candidates) {
    if (title.empty()) return fail(Errc::usage, "a group has a title");
    if (auto ok = conversation::check(conversation::Info{title, {}, 0}); !ok) return pass(ok);
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready_to_say(); !ok) return pass(ok);
    std::vector<UserId> others;
    for (const auto& who : with) {
        const auto user = impl_->people->one(lock, who, candidates);
        if (!user) return fail(user.error().code, user.error().detail);
        others.push_back(*user);
    }
    if (auto ok = impl_->sync->bring_up(lock, others); !ok) return pass(ok);
    auto maker = impl_->compose.maker();
    if (!maker) return pass(maker);
    const auto event = conversation::create_group(*maker, others, core.random, role);
    const auto asked = impl_->compose.event(event);
    if (!asked) return fail(asked.error().code, asked.error().detail);
    // The title is sealed like everything that is said; the roster is all that the gateway sees.
    auto stored = core.transact([&](container::Transaction& tx) {
        put_back_if_lost(tx, core.infos, event.conversation);
        core.infos[event.conversation].title = title;
        return core.put_conversation(tx, core.conversations.at(event.conversation));
    });
    if (!stored) return pass(stored);
    auto told = impl_->tell_info(lock, event.conversation, core.random.id<MessageId>(), patience);
    if (!told) return pass(told);
    if (!told->accepted)
        return fail(Errc::timed_out, "the group is made here; the others hear of it once this goes out");
    return line_of(core, core.conversations.at(event.conversation));
}

Result<GroupLine> Agent::change_group(const std::string& name, RosterOp op, const std::vector<std::string>& who,
                                      MemberRole role, Millis patience, Candidates& candidates) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    // Who must not read on can be taken out with an old agent, too.
    if (auto ok = op == RosterOp::remove ? impl_->ready() : impl_->ready_to_say(); !ok) return pass(ok);
    const auto id = impl_->people->conversation(lock, name, candidates);
    std::vector<UserId> users;
    for (const auto& person : who) {
        const auto user = impl_->people->one(lock, person, candidates);
        if (!user) return fail(user.error().code, user.error().detail);
        users.push_back(*user);
    }
    if (auto ok = impl_->sync->bring_up(lock, users); !ok) return pass(ok);
    const auto group = find_group(core, id);
    if (!group) return fail(group.error().code, group.error().detail);
    if (auto ok = administrator(core, **group); !ok) return pass(ok);
    auto items = items_of(**group, op, users, role);
    if (!items) return pass(items);
    auto maker = impl_->compose.maker();
    if (!maker) return pass(maker);
    auto event = conversation::change_group(*maker, **group, std::move(*items));
    if (auto ok = impl_->change(lock, event, patience); !ok) return pass(ok);
    if (op == RosterOp::add) {
        auto told = impl_->tell_info(lock, *id, core.random.id<MessageId>(), patience);
        if (!told) return pass(told);
    }
    return line_of(core, core.conversations.at(*id));
}

Result<GroupLine> Agent::leave_group(const std::string& name, Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    Candidates nobody;
    const auto id = impl_->people->conversation(lock, name, nobody);
    const auto group = find_group(core, id);
    if (!group) return fail(group.error().code, group.error().detail);
    const auto* own = (*group)->member(core.own().user);
    if (own == nullptr) return fail(Errc::not_a_member, "you are not in this group");
    auto items = items_of(**group, RosterOp::remove, {core.own().user}, own->role);
    if (!items) return pass(items);
    auto maker = impl_->compose.maker();
    if (!maker) return pass(maker);
    const auto event = conversation::change_group(*maker, **group, std::move(*items));
    if (auto ok = impl_->change(lock, event, patience); !ok) return pass(ok);
    return line_of(core, core.conversations.at(*id));
}

Result<GroupLine> Agent::close_group(const std::string& name, Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    Candidates nobody;
    const auto id = impl_->people->conversation(lock, name, nobody);
    const auto group = find_group(core, id);
    if (!group) return fail(group.error().code, group.error().detail);
    if (auto ok = administrator(core, **group); !ok) return pass(ok);
    auto maker = impl_->compose.maker();
    if (!maker) return pass(maker);
    const auto event = conversation::close_group(*maker, **group);
    if (auto ok = impl_->change(lock, event, patience); !ok) return pass(ok);
    return line_of(core, core.conversations.at(*id));
}

Result<GroupLine> Agent::mend_group(const std::string& name, Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    Candidates nobody;
    const auto id = impl_->people->conversation(lock, name, nobody);
    const auto group = find_group(core, id);
    if (!group) return fail(group.error().code, group.error().detail);
    auto maker = impl_->compose.maker();
    if (!maker) return pass(maker);
    const auto event = conversation::mend_group(*maker, **group);
    if (auto ok = impl_->change(lock, event, patience); !ok) return pass(ok);
    return line_of(core, core.conversations.at(*id));
}

Result<GroupLine> Agent::confirm_group(const std::string& name, const std::optional<Digest>& seen, Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    Candidates nobody;
    auto id = id_from_hex<ConversationId>(name);
    if (!id) id = impl_->people->conversation(lock, name, nobody);
    if (!id) return fail(id.error().code, id.error().detail);
    core.wanted_events.insert(*id);
    auto fetched = RosterFetch(core, *impl_->network, *impl_->sync).fetch(lock);
    if (!fetched) return pass(fetched);
    std::vector<UserId> users;
    if (const auto doubt = core.doubted.find(*id); doubt != core.doubted.end())
        for (const auto& m : doubt->second.state.now().roster) users.push_back(m.user);
    if (auto ok = impl_->sync->bring_up(lock, users); !ok) return pass(ok);
    const auto event = confirm(core, impl_->compose, *id, seen);
    if (auto ok = impl_->change(lock, event, patience); !ok) return pass(ok);
    const auto now = core.conversations.find(*id);
    if (now == core.conversations.end()) return fail(Errc::epoch_conflict, "another change came first");
    return line_of(core, now->second);
}

Result<SentMessage> Agent::set_group(const std::string& name, const GroupWish& wish, const MessageId& id,
                                     Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready_to_say(); !ok) return pass(ok);
    Candidates nobody;
    const auto conversation = impl_->people->conversation(lock, name, nobody);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    const auto& state = core.conversations.at(*conversation);
    if (state.is_pair() && wish.title) return fail(Errc::usage, "only a group has a title");
    if (!state.is_pair())
        if (auto ok = administrator(core, state); !ok) return pass(ok);
    auto after = core.infos[*conversation];
    if (wish.title) after.title = *wish.title;
    if (wish.expires_after_s) after.expires_after_s = *wish.expires_after_s;
    if (wish.expires_after_s && Millis{after.expires_after_s} * kSecond > core.provisioning->policy.retention)
        return fail(Errc::forbidden, "policy keeps nothing that long: choose a shorter time");
    if (auto ok = conversation::check(conversation::Info{after.title, {}, after.expires_after_s}); !ok) return pass(ok);
    auto stored = core.transact([&](container::Transaction& tx) {
        put_back_if_lost(tx, core.infos, *conversation);
        core.infos[*conversation] = after;
        return core.put_conversation(tx, core.conversations.at(*conversation));
    });
    if (!stored) return pass(stored);
    return impl_->tell_info(lock, *conversation, id, patience);
}

Result<GroupDetails> Agent::group(const std::string& name) {
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    const auto id = id_from_hex<ConversationId>(name);
    const bool only_doubted = id && core.doubted.contains(*id) && !core.conversations.contains(*id);
    Candidates nobody;
    const auto group = only_doubted ? Result<const ConversationState*>(&core.doubted.at(*id).state)
                                    : find_group(core, impl_->people->conversation(lock, name, nobody));
    if (!group) return fail(group.error().code, group.error().detail);
    const auto& state = **group;
    GroupDetails out;
    out.line = line_of(core, state);
    out.epoch = state.epoch;
    out.expires_after_s = core.infos[state.id].expires_after_s;
    out.picture = core.infos[state.id].picture;
    out.forked = state.forked;
    if (const auto newer = core.newer_epochs.find(state.id); newer != core.newer_epochs.end())
        out.newer_epoch = newer->second.epoch;
    const auto members = [&](const ConversationState& of) {
        std::vector<GroupMember> list;
        for (const auto& m : of.now().roster) list.push_back({m.user, name_of(core, m.user), m.role});
        return list;
    };
    if (!only_doubted) out.members = members(state);
    if (const auto doubt = core.doubted.find(state.id); doubt != core.doubted.end()) {
        const auto& to = doubt->second.state;
        out.doubted = {members(to), to.now().state, to.now().closed, may_confirm(core, to)};
    }
    return out;
}

std::vector<GroupLine> Agent::groups() {
    const Impl::Visit lock(*impl_);
    std::vector<GroupLine> out;
    std::map<ConversationId, std::string> owed;
    if (const auto chains = owed_chains(impl_->core))
        for (const auto& chain : *chains) owed[chain.conversation] = chain.reason;
    for (const auto& [id, state] : impl_->core.conversations) {
        if (state.is_pair()) continue;
        out.push_back(line_of(impl_->core, state));
        if (const auto at = owed.find(id); at != owed.end()) out.back().owed = at->second;
    }
    return out;
}

}  // namespace nimes::agent::engine
