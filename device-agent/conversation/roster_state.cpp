#include "conversation/roster_state.hpp"

#include <algorithm>

namespace nimes::agent::conversation {
namespace {

constexpr std::uint8_t kFormat = 1;

bool before(const Member& m, const UserId& user) { return m.user < user; }

const Member* find(const Roster& roster, const UserId& user) {
    const auto at = std::lower_bound(roster.begin(), roster.end(), user, before);
    return at != roster.end() && at->user == user ? &*at : nullptr;
}

bool apply_item(Roster& roster, const RosterItem& item) {
    const auto at = std::lower_bound(roster.begin(), roster.end(), item.user, before);
    const bool there = at != roster.end() && at->user == item.user;
    if (item.op == RosterOp::add) {
        if (there) return false;
        roster.insert(at, {item.user, item.role});
    } else if (!there) {
        return false;
    } else if (item.op == RosterOp::remove) {
        if (at->role != item.role) return false;
        roster.erase(at);
    } else {
        at->role = item.role;
    }
    return true;
}

bool has_administrator(const Roster& roster) {
    return std::any_of(roster.begin(), roster.end(),
                       [](const Member& m) { return m.role == MemberRole::administrator; });
}

bool is_leaving(const ConvEvent& e) {
    return e.kind == EventKind::change && e.items.size() == 1 && e.items[0].op == RosterOp::remove &&
           e.items[0].user == e.actor_user;
}

// The state after the event, or nullopt when it does not fit.
std::optional<EpochState> successor(const EpochState* held, const ConvEvent& e) {
    EpochState out;
    if (held != nullptr && e.kind != EventKind::create && e.kind != EventKind::restate) out.roster = held->roster;
    for (const auto& item : e.items) {
        if (!apply_item(out.roster, item)) return std::nullopt;
        out.only_additions = out.only_additions && item.op == RosterOp::add;
    }
    if (held != nullptr && e.kind == EventKind::restate && out.roster != held->roster) return std::nullopt;
    if (roster_root(out.roster) != e.roster_root || !has_administrator(out.roster)) return std::nullopt;
    out.closed = e.kind == EventKind::close;
    out.state = e.state();
    return out;
}

bool actor_may(const EpochState* held, const EpochState& next, const ConvEvent& e) {
    const auto* member = find(held != nullptr ? held->roster : next.roster, e.actor_user);
    if (member == nullptr) return false;
    return member->role == MemberRole::administrator || is_leaving(e);
}

// An event of a revoked device counts only when it was replaced in good order and made before that.
bool revoked_then(const ActorFacts& actor, const ConvEvent& e) {
    if (actor.revoke == nullptr) return false;
    return actor.revoke->reason != RevokeReason::replaced || e.ts >= actor.revoke->effective;
}

}  // namespace

const EpochState* ConversationState::at(std::uint64_t wanted) const {
    const auto found = epochs.find(wanted);
    return found == epochs.end() ? nullptr : &found->second;
}

const Member* ConversationState::member(const UserId& user) const { return find(now().roster, user); }

bool ConversationState::more_than_additions_since(std::uint64_t since) const {
    return std::any_of(epochs.upper_bound(since), epochs.end(),
                       [](const auto& item) { return !item.second.only_additions; });
}

Bytes ConversationState::encode() const {
    Writer out;
    out.u8(kFormat).id(id).u8(static_cast<std::uint8_t>(pair.size()));
    for (const auto& user : pair) out.id(user);
    out.u64(epoch).u8(forked ? 1 : 0).u32(static_cast<std::uint32_t>(epochs.size()));
    for (const auto& [number, e] : epochs) {
        out.u64(number).id(e.state).u8(e.closed ? 1 : 0).u8(e.only_additions ? 1 : 0);
        out.u32(static_cast<std::uint32_t>(e.roster.size()));
        for (const auto& m : e.roster) out.id(m.user).u8(static_cast<std::uint8_t>(m.role));
    }
    return std::move(out).take();
}

Result<ConversationState> ConversationState::parse(ByteView bytes) {
    Reader in(bytes);
    ConversationState out;
    in.expect_u8(kFormat);
    out.id = in.id<ConversationId>();
    for (auto n = in.u8(); n > 0 && !in.failed(); --n) out.pair.push_back(in.id<UserId>());
    out.epoch = in.u64();
    out.forked = in.u8() != 0;
    for (auto n = in.u32(); n > 0 && !in.failed(); --n) {
        const auto number = in.u64();
        auto& e = out.epochs[number];
        e.state = in.id<Digest>();
        e.closed = in.u8() != 0;
        e.only_additions = in.u8() != 0;
        for (auto m = in.u32(); m > 0 && !in.failed(); --m) {
            const auto user = in.id<UserId>();
            e.roster.push_back({user, static_cast<MemberRole>(in.u8())});
        }
    }
    if (!in.done() || !out.epochs.contains(out.epoch)) return fail(Errc::malformed, "a stored conversation");
    return out;
}

ConversationState pair_conversation(const UserId& a, const UserId& b) {
    ConversationState out;
    out.id = pair_id(a, b);
    out.pair = {std::min(a, b), std::max(a, b)};
    EpochState only;
    only.state = pair_state(a, b);
    only.roster.push_back({out.pair[0], MemberRole::poster});
    if (a != b) only.roster.push_back({out.pair[1], MemberRole::poster});
    out.epochs[0] = std::move(only);
    return out;
}

Applied apply(std::optional<ConversationState>& state, const ConvEvent& e, const ActorFacts& actor) {
    if (state && state->is_pair()) return Applied::dropped;
    if (state)
        if (const auto* known = state->at(e.epoch); known != nullptr && known->state == e.state())
            return Applied::repeated;
    if (!actor.entry_known || actor.head == ActorFacts::Head::unknown) return Applied::held;
    if (actor.cert == nullptr || actor.cert->user != e.actor_user || actor.head == ActorFacts::Head::failed ||
        !verify_event(e, actor.cert->identity) || revoked_then(actor, e))
        return Applied::dropped;

    const bool begins = e.kind == EventKind::create || (e.kind == EventKind::restate && !state);
    if (e.kind == EventKind::create && (e.id_of_create() != e.conversation || e.epoch != 1 || state))
        return Applied::dropped;
    if (!begins && !state) return Applied::held;
    const EpochState* held = nullptr;
    if (!begins) {
        if (e.epoch > state->epoch + 1) return Applied::held;
        held = state->at(e.epoch - 1);
        if (held == nullptr || held->state != e.prev_hash || held->closed) return Applied::dropped;
    }
    auto next = successor(held, e);
    if (!next || !actor_may(held, *next, e)) return Applied::dropped;
    if (!begins && e.epoch <= state->epoch) {  // valid, and another one stands there
        state->forked = true;
        return Applied::forked;
    }
    if (begins) {
        state.emplace();
        state->id = e.conversation;
    }
    state->epoch = e.epoch;
    state->epochs[e.epoch] = std::move(*next);
    while (state->epochs.size() > ConversationState::kEpochsKept) state->epochs.erase(state->epochs.begin());
    return Applied::applied;
}

}  // namespace nimes::agent::conversation
