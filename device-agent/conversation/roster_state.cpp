#include "conversation/roster_state.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes::agent::conversation {
namespace {

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
std::optional<EpochState> successor(const Roster* before_it, const ConvEvent& e) {
    EpochState out;
    if (before_it != nullptr && e.kind != EventKind::create && e.kind != EventKind::restate) out.roster = *before_it;
    for (const auto& item : e.items) {
        if (!apply_item(out.roster, item)) return std::nullopt;
        out.only_additions = out.only_additions && item.op == RosterOp::add;
    }
    if (before_it != nullptr && e.kind == EventKind::restate && out.roster != *before_it) return std::nullopt;
    if (roster_root(out.roster) != e.roster_root || !has_administrator(out.roster)) return std::nullopt;
    out.closed = e.kind == EventKind::close;
    out.state = e.state();
    return out;
}

bool actor_may(const Roster& roster, const ConvEvent& e) {
    const auto* member = find(roster, e.actor_user);
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

Roster ConversationState::agreed() const {
    if (!forked) return now().roster;
    Roster out;
    for (const auto& m : now().roster)
        if (const auto* there = find(other.rbegin()->second.roster, m.user))
            out.push_back({m.user, std::min(m.role, there->role)});
    return out;
}

std::uint64_t ConversationState::mending_epoch() const {
    return std::max(epoch, other.empty() ? 0 : other.rbegin()->first) + 1;
}

Digest ConversationState::fork_hash() const {
    if (!forked) return {};
    const auto& a = now().state;
    const auto& b = other.rbegin()->second.state;
    return hash(label::kConversationFork, {std::min(a, b).view(), std::max(a, b).view()});
}

namespace {

bool knows(const ConversationState& state, const ConvEvent& e) {
    const auto wanted = e.state();
    const auto* ours = state.at(e.epoch);
    const auto theirs = state.other.find(e.epoch);
    return (ours != nullptr && ours->state == wanted) || state.settled.contains(wanted) ||
           (theirs != state.other.end() && theirs->second.state == wanted);
}

bool proven(const ConvEvent& e, const ActorFacts& actor) {
    if (e.by_organisation())
        return actor.keys != nullptr && actor.head == ActorFacts::Head::verified && verify_appointment(e, *actor.keys);
    return actor.cert != nullptr && actor.cert->user == e.actor_user && actor.cert->device == e.actor_device &&
           actor.head == ActorFacts::Head::verified && verify_event(e, actor.cert->identity) && !revoked_then(actor, e);
}

Applied begin(std::optional<ConversationState>& state, const ConvEvent& e) {
    if (e.id_of_create() != e.conversation || e.epoch != 1) return Applied::dropped;
    auto next = successor(nullptr, e);
    if (!next || !actor_may(next->roster, e)) return Applied::dropped;
    state.emplace();
    state->id = e.conversation;
    state->epoch = e.epoch;
    state->epochs[e.epoch] = std::move(*next);
    return Applied::applied;
}

void put(std::map<std::uint64_t, EpochState>& branch, std::uint64_t epoch, EpochState next) {
    branch[epoch] = std::move(next);
    while (branch.size() > ConversationState::kEpochsKept) branch.erase(branch.begin());
}

// A restate over who is in both rosters, by an administrator of both.
Applied mend(ConversationState& state, const ConvEvent& e) {
    const auto both = state.agreed();
    auto next = successor(&both, e);
    if (e.epoch != state.mending_epoch() || !next || !actor_may(both, e)) return Applied::dropped;
    if (state.now().closed || state.other.rbegin()->second.closed) return Applied::dropped;
    next->only_additions = false;
    next->mended = e.prev_hash;
    put(state.epochs, e.epoch, std::move(*next));
    state.epoch = e.epoch;
    for (const auto& [number, left] : state.other) state.settled.insert(left.state);
    state.other.clear();
    state.forked = false;
    return Applied::applied;
}

// Of an appointment: it may be made as long as no administrator of the group had a device by its time.
Applied judge_appointment(const Roster& roster, const ConvEvent& e, const ActorFacts& actor) {
    if (!appoints_member(e, roster) || !follows_head(e, actor.head_ts)) return Applied::dropped;
    bool all_here = true;
    for (const auto& m : roster) {
        if (m.role != MemberRole::administrator) continue;
        const auto* entry = actor.entry_of ? actor.entry_of(m.user) : nullptr;
        if (entry != nullptr && has_device(*entry, e.ts)) return Applied::dropped;
        all_here = all_here && entry != nullptr;
    }
    return all_here ? Applied::applied : Applied::held;
}

struct Base {
    const EpochState* state = nullptr;
    bool in_other = false;
};

// The epoch that the event stands on, in either branch. A second restate that mends the fork that ended at its epoch
// stands where the first did.
Base base_of(const ConversationState& state, const ConvEvent& e) {
    const auto* ours = state.at(e.epoch - 1);
    if (ours != nullptr && ours->state == e.prev_hash) return {ours, false};
    const auto theirs = state.other.find(e.epoch - 1);
    if (theirs != state.other.end() && theirs->second.state == e.prev_hash) return {&theirs->second, true};
    const auto* there = state.at(e.epoch);
    const bool mends = there != nullptr && e.kind == EventKind::restate && !there->mended.is_zero();
    if (mends && there->mended == e.prev_hash) return {there, false};
    return {};
}

}  // namespace

Applied apply(std::optional<ConversationState>& state, const ConvEvent& e, const ActorFacts& actor) {
    if (state && (state->is_pair() || state->id != e.conversation)) return Applied::dropped;
    if (state && knows(*state, e)) return Applied::repeated;
    if (!actor.entry_known || actor.head == ActorFacts::Head::unknown) return Applied::held;
    if (!proven(e, actor)) return Applied::dropped;
    if (!state) return e.kind == EventKind::create ? begin(state, e) : Applied::held;
    if (e.kind == EventKind::create) return Applied::dropped;
    if (state->forked && e.kind == EventKind::restate && e.prev_hash == state->fork_hash()) return mend(*state, e);

    const auto base = base_of(*state, e);
    // What it stands on may come yet, or be a branch not shown to us; before all that is kept nobody can tell any more.
    if (base.state == nullptr) return e.epoch > state->epochs.begin()->first ? Applied::held : Applied::dropped;
    if (base.state->closed) return Applied::dropped;
    auto next = successor(&base.state->roster, e);
    if (!next) return Applied::dropped;
    if (e.by_organisation()) {
        if (const auto may = judge_appointment(base.state->roster, e, actor); may != Applied::applied) return may;
    } else if (!actor_may(base.state->roster, e)) {
        return Applied::dropped;
    }
    auto& branch = base.in_other ? state->other : state->epochs;
    if (e.epoch == branch.rbegin()->first + 1) {
        put(branch, e.epoch, std::move(*next));
        state->epoch = state->epochs.rbegin()->first;
        return Applied::applied;
    }
    if (state->forked) return Applied::dropped;  // a third branch: the alarm was raised, and nobody is added by it
    state->other[e.epoch] = std::move(*next);
    state->forked = true;
    return Applied::forked;
}

namespace {

// Of what stands on events of devices that were revoked since, beside the last state that counts.
bool vouches(const std::optional<ConversationState>& counted, const ConvEvent& e, const ActorFacts& actor) {
    if (!counted) return true;
    if (e.by_organisation()) return judge_appointment(counted->now().roster, e, actor) == Applied::applied;
    const auto* before_it = counted->member(e.actor_user);
    return before_it != nullptr && before_it->role == MemberRole::administrator && !is_leaving(e);
}

}  // namespace

Taken apply_all(std::optional<ConversationState>& state, std::span<const Step> steps) {
    auto scratch = state;
    Taken out;
    bool pending = false, whole = true;
    for (std::size_t i = 0; i < steps.size() && whole; ++i) {
        const auto& event = steps[i].event;
        auto actor = steps[i].actor;
        const bool revoked = revoked_then(actor, event);
        if (revoked) actor.revoke = nullptr;
        whole = !(pending && event.prev_hash != steps[i - 1].event.state()) && !(revoked && scratch && scratch->forked);
        const auto outcome = whole ? apply(scratch, event, actor) : Applied::dropped;
        whole = outcome == Applied::applied || outcome == Applied::repeated;
        if (!whole) break;
        pending = pending || (revoked && outcome == Applied::applied);
        if (pending && (revoked || !vouches(state, event, actor))) continue;
        pending = false;
        state = scratch;
        out.count = i + 1;
    }
    if (pending && whole) out.doubted = std::move(scratch);
    return out;
}

}  // namespace nimes::agent::conversation
