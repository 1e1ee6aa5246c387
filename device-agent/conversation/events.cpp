#include "conversation/events.hpp"

#include <algorithm>

namespace nimes::agent::conversation {
namespace {

ConvEvent begin_event(const EventMaker& maker, EventKind kind) {
    ConvEvent e;
    e.kind = kind;
    e.actor_user = maker.user;
    e.actor_device = maker.device;
    e.ts = maker.now;
    e.dir_revision = maker.head.revision;
    e.dir_head = maker.head.hash();
    return e;
}

void sort_items(std::vector<RosterItem>& items) {
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.user < b.user; });
}

Roster after(Roster roster, const std::vector<RosterItem>& items) {
    for (const auto& item : items) {
        std::erase_if(roster, [&](const Member& m) { return m.user == item.user; });
        if (item.op != RosterOp::remove) roster.push_back({item.user, item.role});
    }
    std::sort(roster.begin(), roster.end());
    return roster;
}

Result<ConvEvent> follow(const EventMaker& maker, const ConversationState& state, ConvEvent e, const Roster& roster) {
    if (state.is_pair()) return fail(Errc::malformed, "a conversation of two has no events");
    e.conversation = state.id;
    e.epoch = state.epoch + 1;
    e.prev_hash = state.now().state;
    e.roster_root = roster_root(roster);
    e.signature = sign_event(maker.identity, e.body());
    return e;
}

}  // namespace

ConvEvent create_group(const EventMaker& maker, std::vector<UserId> others, RandomSource& random,
                       MemberRole others_role) {
    auto e = begin_event(maker, EventKind::create);
    e.prev_hash = random.id<Digest>();
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
    std::erase(others, maker.user);
    e.items.push_back({maker.user, MemberRole::administrator, RosterOp::add});
    for (const auto& user : others) e.items.push_back({user, others_role, RosterOp::add});
    sort_items(e.items);
    e.roster_root = roster_root(after({}, e.items));
    e.conversation = e.id_of_create();
    e.signature = sign_event(maker.identity, e.body());
    return e;
}

Result<ConvEvent> change_group(const EventMaker& maker, const ConversationState& state, std::vector<RosterItem> items) {
    if (state.member(maker.user) == nullptr) return fail(Errc::not_a_member);
    auto e = begin_event(maker, EventKind::change);
    sort_items(items);
    e.items = std::move(items);
    const auto roster = after(state.now().roster, e.items);
    return follow(maker, state, std::move(e), roster);
}

Result<ConvEvent> restate_group(const EventMaker& maker, const ConversationState& state) {
    auto e = begin_event(maker, EventKind::restate);
    for (const auto& m : state.now().roster) e.items.push_back({m.user, m.role, RosterOp::add});
    return follow(maker, state, std::move(e), state.now().roster);
}

Result<ConvEvent> close_group(const EventMaker& maker, const ConversationState& state) {
    if (state.member(maker.user) == nullptr) return fail(Errc::not_a_member);
    return follow(maker, state, begin_event(maker, EventKind::close), state.now().roster);
}

Result<ConvEvent> mend_group(const EventMaker& maker, const ConversationState& state) {
    if (!state.forked) return fail(Errc::malformed, "the conversation is not forked");
    auto e = begin_event(maker, EventKind::restate);
    const auto both = state.agreed();
    for (const auto& m : both) e.items.push_back({m.user, m.role, RosterOp::add});
    e.conversation = state.id;
    e.epoch = state.mending_epoch();
    e.prev_hash = state.fork_hash();
    e.roster_root = roster_root(both);
    e.signature = sign_event(maker.identity, e.body());
    return e;
}

}  // namespace nimes::agent::conversation
