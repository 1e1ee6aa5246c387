// Two rosters of one group: seen, kept, and ended only by an administrator of both.
#include <algorithm>
#include <numeric>

#include "unit/device-agent/conversation/team.hpp"

using namespace nimes;
using namespace nimes::agent::conversation;

namespace {

// Anna and Bernd are both administrators, Clara posts; then each of them changes the group without the other.
struct Fork : Team {
    std::optional<ConversationState> before;
    ConvEvent first, one, one_more, other, other_more;

    Fork() {
        first = create_group(by_anna(), {bernd, clara}, random);
        REQUIRE(take(before, first) == Applied::applied);
        const auto up = change(by_anna(), *before, {{bernd, MemberRole::administrator, RosterOp::set_role}});
        REQUIRE(take(before, up) == Applied::applied);
        auto left = before, right = before;
        one = change(by_anna(), *left, {{dora, MemberRole::poster, RosterOp::add}});
        REQUIRE(take(left, one) == Applied::applied);
        one_more = change(by_anna(), *left, {{clara, MemberRole::reader, RosterOp::set_role}});
        other = change(by_bernd(), *right, {{emil, MemberRole::poster, RosterOp::add}});
        REQUIRE(take(right, other) == Applied::applied);
        other_more = change(by_bernd(), *right, {{emil, MemberRole::reader, RosterOp::set_role}});
    }
    static ConvEvent change(const EventMaker& maker, const ConversationState& state, std::vector<RosterItem> items) {
        return change_group(maker, state, std::move(items)).value();
    }
    UserId dora = test::user(4), emil = test::user(5);
    Roster both{{anna, MemberRole::administrator}, {bernd, MemberRole::administrator}, {clara, MemberRole::reader}};

    std::optional<ConversationState> forked() {
        auto state = before;
        for (const auto* e : {&one, &one_more, &other, &other_more}) (void)take(state, *e);
        REQUIRE(state->forked);
        return state;
    }
};

}  // namespace

TEST_CASE("in whatever order two branches come, the same people are agreed upon, and one alarm is raised") {
    Fork f;
    const std::vector<ConvEvent> events{f.one, f.one_more, f.other, f.other_more};
    std::vector<std::size_t> order{0, 1, 2, 3};
    const auto expected = f.forked()->fork_hash();
    do {
        auto state = f.before;
        int alarms = 0;
        for (int round = 0; round < 4; ++round)  // what is held is tried again
            for (const auto i : order) {
                const auto outcome = f.take(state, events[i]);
                REQUIRE(outcome != Applied::dropped);
                alarms += outcome == Applied::forked;
            }
        CHECK(alarms == 1);
        CHECK(state->agreed() == f.both);
        CHECK(state->fork_hash() == expected);
        CHECK(state->mending_epoch() == 5);
        CHECK(ConversationState::parse(state->encode())->encode() == state->encode());
        CHECK(ConversationState::parse(state->encode())->fork_hash() == expected);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a fork is ended by an administrator of both branches over those who are in both") {
    Fork f;
    auto state = f.forked();
    const auto mend = mend_group(f.by_anna(), *state).value();
    CHECK(f.take(state, mend) == Applied::applied);
    CHECK_FALSE(state->forked);
    CHECK(state->now().roster == f.both);
    CHECK(state->epoch == 5);
    CHECK(state->more_than_additions_since(4));
    CHECK(f.take(state, mend) == Applied::repeated);
    // Shown again, what was settled forks nothing.
    for (const auto* e : {&f.one, &f.one_more, &f.other, &f.other_more}) CHECK(f.take(state, *e) == Applied::repeated);
    CHECK(ConversationState::parse(state->encode())->encode() == state->encode());
    CHECK(ConversationState::parse(state->encode())->settled.size() == 2);
    const auto next = f.change(f.by_bernd(), *state, {{f.emil, MemberRole::poster, RosterOp::add}});
    CHECK(f.take(state, next) == Applied::applied);
    CHECK_FALSE(mend_group(f.by_anna(), *state));
}

TEST_CASE("two ways to mend one fork are a fork again") {
    Fork f;
    auto state = f.forked();
    const auto by_anna = mend_group(f.by_anna(), *state).value(), by_bernd = mend_group(f.by_bernd(), *state).value();
    REQUIRE(f.take(state, by_anna) == Applied::applied);
    auto elsewhere = by_bernd;  // a restate that mends another fork than the one there was
    elsewhere.prev_hash.bytes[0] ^= 1;
    elsewhere.signature = sign_event(f.bernd_key.secret, elsewhere.body());
    CHECK(f.take(state, elsewhere) == Applied::held);
    CHECK(f.take(state, by_bernd) == Applied::forked);
    CHECK(state->agreed() == f.both);
}

TEST_CASE("nothing else ends a fork") {
    Fork f;
    auto state = f.forked();
    const auto good = mend_group(f.by_anna(), *state).value();
    const auto refused = [&](ConvEvent e) {
        e.signature = sign_event(f.anna_key.secret, e.body());
        auto scratch = state;
        return f.take(scratch, e) == Applied::dropped && scratch->encode() == state->encode();
    };
    auto e = good;
    e.epoch += 1;
    CHECK(refused(e));
    e = good;
    e.epoch -= 1;
    CHECK(refused(e));
    e = good;  // one who is in one branch only
    e.items.push_back({f.dora, MemberRole::poster, RosterOp::add});
    e.roster_root = roster_root({f.both[0], f.both[1], f.both[2], {f.dora, MemberRole::poster}});
    CHECK(refused(e));
    e = good;  // of two roles the lower
    e.items[2].role = MemberRole::poster;
    e.roster_root = roster_root({f.both[0], f.both[1], {f.clara, MemberRole::poster}});
    CHECK(refused(e));
    e = good;
    e.roster_root.bytes[0] ^= 1;
    CHECK(refused(e));

    // An administrator of one branch, who posts in the other.
    auto lowered = f.before;
    const auto down = f.change(f.by_anna(), *lowered, {{f.bernd, MemberRole::poster, RosterOp::set_role}});
    REQUIRE(f.take(lowered, down) == Applied::applied);
    REQUIRE(f.take(lowered, f.other) == Applied::forked);
    CHECK(f.take(lowered, mend_group(f.by_bernd(), *lowered).value()) == Applied::dropped);
    CHECK(f.take(lowered, mend_group(f.by_anna(), *lowered).value()) == Applied::applied);
}

TEST_CASE("a third branch is not followed, and a closed one is not reopened") {
    Fork f;
    auto state = f.forked();
    const auto third = f.change(f.by_anna(), *f.before, {{test::user(6), MemberRole::poster, RosterOp::add}});
    CHECK(f.take(state, third) == Applied::dropped);
    CHECK(state->agreed() == f.both);

    auto closed = f.before;
    REQUIRE(f.take(closed, f.one) == Applied::applied);
    auto close = f.change(f.by_anna(), *f.before, {{f.dora, MemberRole::poster, RosterOp::add}});
    close.kind = EventKind::close;
    close.items.clear();
    close.roster_root = roster_root(f.before->now().roster);
    close.signature = sign_event(f.anna_key.secret, close.body());
    REQUIRE(f.take(closed, close) == Applied::forked);
    CHECK(f.take(closed, mend_group(f.by_anna(), *closed).value()) == Applied::dropped);
}

TEST_CASE("what stands on a branch not shown yet waits for it; what stands before all that is kept does not") {
    Fork f;
    auto state = f.forked();
    auto astray = f.change(f.by_anna(), *state, {{f.dora, MemberRole::reader, RosterOp::set_role}});
    astray.prev_hash.bytes[0] ^= 1;
    astray.signature = sign_event(f.anna_key.secret, astray.body());
    CHECK(f.take(state, astray) == Applied::held);
    auto on_other = f.change(f.by_bernd(), *state, {{f.bernd, MemberRole::administrator, RosterOp::remove}});
    on_other.prev_hash = astray.prev_hash;
    on_other.roster_root = roster_root({f.both[0], {f.clara, MemberRole::poster}, {f.emil, MemberRole::reader}});
    on_other.signature = sign_event(f.bernd_key.secret, on_other.body());
    CHECK(f.take(state, on_other) == Applied::held);  // fits the second branch's roster, and stands on nothing of it

    state = f.before;
    REQUIRE(f.take(state, f.one) == Applied::applied);
    CHECK(f.take(state, f.other_more) == Applied::held);
    for (std::size_t n = 0; n <= ConversationState::kEpochsKept; ++n)
        REQUIRE(f.take(state, restate_group(f.by_anna(), *state).value()) == Applied::applied);
    CHECK(state->epochs.size() == ConversationState::kEpochsKept);
    CHECK(f.take(state, f.other) == Applied::dropped);
}
