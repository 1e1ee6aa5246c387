// Who is in a group after which events.
#include <algorithm>
#include <numeric>

#include "unit/device-agent/conversation/team.hpp"

using namespace nimes;
using namespace nimes::agent::conversation;

TEST_CASE("events in any order, any number of times, lead to one state") {
    Team team;
    const auto events = team.history();
    std::optional<ConversationState> straight;
    for (const auto& e : events) (void)team.take(straight, e);
    std::vector<std::size_t> order(events.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
        std::optional<ConversationState> state;
        // What is held is tried again, as the inbox does.
        for (std::size_t round = 0; round < events.size(); ++round)
            for (const auto i : order) {
                const auto applied = team.take(state, events[i]);
                REQUIRE((applied == Applied::applied || applied == Applied::held || applied == Applied::repeated));
            }
        REQUIRE(state->encode() == straight->encode());
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(straight->epoch == 5);
    CHECK(straight->now().roster.size() == 2);
    CHECK(straight->more_than_additions_since(1));
    CHECK_FALSE(straight->more_than_additions_since(4));
    CHECK(ConversationState::parse(straight->encode())->encode() == straight->encode());
}

TEST_CASE("what is not known yet is held; what does not hold is dropped and changes nothing") {
    Team team;
    const auto create = create_group(team.by_anna(), {team.bernd}, team.random);
    std::optional<ConversationState> state;
    auto facts = team.knows(team.anna_cert);
    facts.entry_known = false;
    CHECK(apply(state, create, facts) == Applied::held);
    facts = team.knows(team.anna_cert);
    facts.head = ActorFacts::Head::unknown;
    CHECK(apply(state, create, facts) == Applied::held);
    facts.head = ActorFacts::Head::failed;
    CHECK(apply(state, create, facts) == Applied::dropped);
    CHECK(apply(state, create, team.knows(team.bernd_cert)) == Applied::dropped);
    facts = team.knows(team.anna_cert);
    facts.cert = nullptr;
    CHECK(apply(state, create, facts) == Applied::dropped);
    const auto stolen = test::revoke_by_admin(team.org, team.anna, team.anna_cert.device, 2);
    facts = team.knows(team.anna_cert);
    facts.revoke = &stolen;
    CHECK(apply(state, create, facts) == Applied::dropped);
    auto later = stolen;  // a thief can back-date
    later.effective = create.ts + 1;
    facts.revoke = &later;
    CHECK(apply(state, create, facts) == Applied::dropped);
    auto replaced = stolen;
    replaced.reason = RevokeReason::replaced;
    replaced.effective = create.ts;
    facts.revoke = &replaced;
    CHECK(apply(state, create, facts) == Applied::dropped);
    replaced.effective = create.ts + 1;
    facts.revoke = &replaced;
    auto again = state;
    CHECK(apply(again, create, facts) == Applied::applied);
    auto of_another = team.anna_cert;
    of_another.user = team.bernd;
    CHECK(apply(state, create, team.knows(of_another)) == Applied::dropped);
    auto forged = create;
    forged.signature.bytes[0] ^= 1;
    CHECK(team.take(state, forged) == Applied::dropped);
    CHECK_FALSE(state);
}

TEST_CASE("only an administrator changes a roster, but anybody may leave, except the last administrator") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    const auto before = state->encode();
    const auto by_poster =
        change_group(team.by_bernd(), *state, {{team.clara, MemberRole::poster, RosterOp::add}}).value();
    CHECK(team.take(state, by_poster) == Applied::dropped);
    const auto last =
        change_group(team.by_anna(), *state, {{team.anna, MemberRole::administrator, RosterOp::remove}}).value();
    CHECK(team.take(state, last) == Applied::dropped);
    const auto twice = change_group(team.by_anna(), *state, {{team.bernd, MemberRole::poster, RosterOp::add}}).value();
    CHECK(team.take(state, twice) == Applied::dropped);
    CHECK(state->encode() == before);
    const auto leaving =
        change_group(team.by_bernd(), *state, {{team.bernd, MemberRole::poster, RosterOp::remove}}).value();
    CHECK(team.take(state, leaving) == Applied::applied);
    CHECK(state->member(team.bernd) == nullptr);
}

TEST_CASE("two valid successors of one epoch are a fork, and no branch wins") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    const auto one = change_group(team.by_anna(), *state, {{team.clara, MemberRole::poster, RosterOp::add}}).value();
    const auto other =
        change_group(team.by_anna(), *state, {{team.bernd, MemberRole::poster, RosterOp::remove}}).value();
    REQUIRE(team.take(state, one) == Applied::applied);
    CHECK(team.take(state, one) == Applied::repeated);
    CHECK(team.take(state, other) == Applied::forked);
    CHECK(state->forked);
    CHECK(ConversationState::parse(state->encode())->forked);
}

TEST_CASE("a creation must have the id that it makes, and a pair has no events") {
    Team team;
    auto create = create_group(team.by_anna(), {team.bernd}, team.random);
    create.conversation.bytes[0] ^= 1;
    create.signature = sign_event(team.anna_key.secret, create.body());
    std::optional<ConversationState> state;
    CHECK(team.take(state, create) == Applied::dropped);
    std::optional<ConversationState> pair = pair_conversation(team.anna, team.bernd);
    CHECK(team.take(pair, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::dropped);
    auto of_pair = create;
    of_pair.kind = EventKind::restate;
    of_pair.conversation = pair->id;
    of_pair.epoch = 2;
    of_pair.signature = sign_event(team.anna_key.secret, of_pair.body());
    CHECK(team.take(pair, of_pair) == Applied::dropped);
    CHECK_FALSE(restate_group(team.by_anna(), *pair));
    CHECK_FALSE(change_group(team.by_anna(), *pair, {}));
    CHECK(pair->id == pair_conversation(team.bernd, team.anna).id);
    CHECK(pair_conversation(team.anna, team.anna).now().roster.size() == 1);
}

namespace {

// Anna's device is revoked as stolen; what it wrote before is in `events`, on top of the state `start`.
struct Stolen {
    Team team;
    DeviceRevoke record = test::revoke_by_admin(team.org, team.anna, team.anna_cert.device, 2);
    std::optional<ConversationState> state, start;
    std::vector<Step> steps;
    ConvEvent creation;

    explicit Stolen(std::vector<UserId> others)
        : creation(create_group(team.by_anna(), std::move(others), team.random)) {
        REQUIRE(team.take(state, creation) == Applied::applied);
        start = state;
    }
    ActorFacts revoked() const { return {true, &team.anna_cert, &record, ActorFacts::Head::verified}; }
    void next(const EventMaker& maker, std::vector<RosterItem> items) {
        add(change_group(maker, *state, std::move(items)).value());
    }
    void add(const ConvEvent& e) {
        REQUIRE(team.take(state, e) == Applied::applied);
        steps.push_back({e, e.actor_user == team.anna ? revoked() : team.facts(e)});
    }
    void go_on_from(const std::optional<ConversationState>& at) {
        state = start = at;
        steps.clear();
    }
};

}  // namespace

TEST_CASE("an event of a device that was stolen since counts once an administrator's unrevoked one stands on it") {
    Stolen s({test::user(2)});
    auto& team = s.team;
    s.next(team.by_anna(), {{team.bernd, MemberRole::administrator, RosterOp::set_role}});
    s.go_on_from(s.state);
    s.next(team.by_anna(), {{team.clara, MemberRole::poster, RosterOp::add}});
    s.next(team.by_bernd(), {{team.clara, MemberRole::reader, RosterOp::set_role}});
    s.next(team.by_anna(), {{test::user(9), MemberRole::administrator, RosterOp::add}});

    auto late = s.start;
    CHECK(apply(late, s.steps[0].event, s.revoked()) == Applied::dropped);  // alone
    const auto alone = apply_all(late, std::span(s.steps).first(1));
    CHECK(alone.count == 0);
    REQUIRE(alone.doubted);
    CHECK(alone.doubted->member(team.clara) != nullptr);
    CHECK(late->encode() == s.start->encode());

    const auto all = apply_all(late, s.steps);
    CHECK(all.count == 2);
    CHECK(late->epoch == 4);
    CHECK(late->member(test::user(9)) == nullptr);
    REQUIRE(all.doubted);
    CHECK(all.doubted->encode() == s.state->encode());
    // Applied before the revocation was seen: it stays.
    CHECK(apply(late, s.steps[0].event, s.revoked()) == Applied::repeated);
    CHECK(apply_all(late, s.steps).count == 2);

    late = s.start;
    auto waiting = s.steps;
    waiting[1].actor.entry_known = false;
    // Perhaps somebody vouches, and cannot be judged yet; perhaps something is left out: nothing is in doubt then.
    const auto unjudged = apply_all(late, waiting);
    CHECK(unjudged.count == 0);
    CHECK_FALSE(unjudged.doubted);
    const auto holed = apply_all(late, std::vector<Step>{s.steps[0], s.steps[2]});
    CHECK(holed.count == 0);
    CHECK_FALSE(holed.doubted);
    CHECK(late->encode() == s.start->encode());
}

TEST_CASE("neither whom a thief appoints nor who only leaves vouches for what the thief wrote") {
    Stolen s({test::user(2), test::user(3)});
    auto& team = s.team;
    s.next(team.by_anna(), {{team.bernd, MemberRole::administrator, RosterOp::set_role}});
    SECTION("the appointed goes on") { s.next(team.by_bernd(), {{test::user(9), MemberRole::poster, RosterOp::add}}); }
    SECTION("the appointed leaves again") {
        s.next(team.by_bernd(), {{team.bernd, MemberRole::administrator, RosterOp::remove}});
    }
    auto late = s.start;
    const auto taken = apply_all(late, s.steps);
    CHECK(taken.count == 0);
    CHECK(late->encode() == s.start->encode());
    REQUIRE(taken.doubted);
    CHECK(taken.doubted->encode() == s.state->encode());
    // A joiner has nothing to hold it against, and takes the word of whoever goes on with the group.
    std::optional<ConversationState> joiner;
    s.steps.insert(s.steps.begin(), {s.creation, s.revoked()});
    CHECK(apply_all(joiner, std::span(s.steps).first(1)).count == 0);
    CHECK_FALSE(joiner);
    CHECK(apply_all(joiner, s.steps).count == 3);
}

TEST_CASE("an administrator's other device vouches for what is in doubt, and everybody goes on alike") {
    Stolen s({test::user(2)});
    auto& team = s.team;
    s.next(team.by_anna(), {{team.clara, MemberRole::poster, RosterOp::add}});
    auto late = s.start;
    const auto doubted = apply_all(late, s.steps).doubted;
    REQUIRE(doubted);
    const auto key = test::key_pair(13);
    const auto cert = test::certify(team.org, team.anna, key, 3);
    const EventMaker new_phone{team.anna, cert.device, key.secret, team.head, test::kNow};
    const auto word = restate_group(new_phone, *doubted).value();
    s.steps.push_back({word, team.knows(cert)});
    const auto taken = apply_all(late, s.steps);
    CHECK(taken.count == 2);
    CHECK_FALSE(taken.doubted);
    CHECK(late->member(team.clara) != nullptr);
    auto applied_before = s.state;
    CHECK(apply(applied_before, word, team.knows(cert)) == Applied::applied);
    CHECK(applied_before->encode() == late->encode());
}

TEST_CASE("a closed group takes nothing more, and a device signs for itself alone") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    auto close = restate_group(team.by_anna(), *state).value();
    close.kind = EventKind::close;
    close.items.clear();
    close.actor_device.bytes[0] ^= 1;
    close.signature = sign_event(team.anna_key.secret, close.body());
    CHECK(team.take(state, close) == Applied::dropped);
    close.actor_device = team.anna_cert.device;
    close.conversation.bytes[0] ^= 1;
    close.signature = sign_event(team.anna_key.secret, close.body());
    CHECK(team.take(state, close) == Applied::dropped);
    close.conversation = state->id;
    close.signature = sign_event(team.anna_key.secret, close.body());
    REQUIRE(team.take(state, close) == Applied::applied);
    CHECK(state->now().closed);
    CHECK(team.take(state, restate_group(team.by_anna(), *state).value()) == Applied::dropped);
}

TEST_CASE("a restate changes nothing, and begins nothing: only the creation proves whose group it is") {
    Team team;
    const auto events = team.history();
    std::optional<ConversationState> joined;
    CHECK(team.take(joined, events[4]) == Applied::held);
    CHECK_FALSE(joined);
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, events[0]) == Applied::applied);
    auto sly = restate_group(team.by_anna(), *state).value();
    sly.items[1].role = MemberRole::reader;
    sly.roster_root = roster_root({{sly.items[0].user, sly.items[0].role}, {sly.items[1].user, sly.items[1].role}});
    sly.signature = sign_event(team.anna_key.secret, sly.body());
    CHECK(team.take(state, sly) == Applied::dropped);
    auto by_poster = restate_group(team.by_bernd(), *state).value();
    CHECK(team.take(state, by_poster) == Applied::dropped);
    std::optional<ConversationState> none;
    CHECK(team.take(none, by_poster) == Applied::held);
    auto wrong_root = restate_group(team.by_anna(), *state).value();
    wrong_root.roster_root.bytes[0] ^= 1;
    wrong_root.signature = sign_event(team.anna_key.secret, wrong_root.body());
    CHECK(team.take(state, wrong_root) == Applied::dropped);
}

TEST_CASE("a removal names the role that was held, and only one who is there is removed or changed") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    for (const auto& item : {RosterItem{team.bernd, MemberRole::reader, RosterOp::remove},
                             RosterItem{team.clara, MemberRole::poster, RosterOp::remove},
                             RosterItem{team.clara, MemberRole::poster, RosterOp::set_role},
                             RosterItem{team.anna, MemberRole::poster, RosterOp::set_role}})
        CHECK(team.take(state, change_group(team.by_anna(), *state, {item}).value()) == Applied::dropped);
    CHECK(state->epoch == 1);
    // Leaving is one's own removal and nothing beside it.
    CHECK(team.take(state,
                    change_group(team.by_anna(), *state, {{team.clara, MemberRole::reader, RosterOp::add}}).value()) ==
          Applied::applied);
    const auto of_clara = change_group(team.by_bernd(), *state, {{team.clara, MemberRole::reader, RosterOp::remove}});
    CHECK(team.take(state, of_clara.value()) == Applied::dropped);
    const auto more = change_group(
        team.by_bernd(), *state,
        {{team.bernd, MemberRole::poster, RosterOp::remove}, {team.clara, MemberRole::poster, RosterOp::set_role}});
    CHECK(team.take(state, more.value()) == Applied::dropped);
}

TEST_CASE("the container's bytes are read back exactly, or refused") {
    Team team;
    std::optional<ConversationState> state;
    for (const auto& e : team.history()) REQUIRE(team.take(state, e) == Applied::applied);
    for (const auto& stored : {state->encode(), pair_conversation(team.anna, team.bernd).encode()}) {
        REQUIRE(ConversationState::parse(stored));
        for (std::size_t n = 0; n < stored.size(); ++n) {
            CHECK_FALSE(ConversationState::parse(ByteView(stored).first(n)));
            for (const int bit : {0x01, 0x04, 0x80}) {
                auto changed = stored;
                changed[n] = static_cast<std::uint8_t>(changed[n] ^ bit);
                if (const auto read = ConversationState::parse(changed)) CHECK(read->encode() == changed);
            }
        }
    }
    const auto refused = [&](auto change) {
        auto other = *state;
        change(other);
        return !ConversationState::parse(other.encode());
    };
    CHECK(refused([](auto& s) { s.epochs[5].roster[0].role = static_cast<MemberRole>(4); }));
    CHECK(refused([](auto& s) { s.epochs[5].roster[0].role = static_cast<MemberRole>(0); }));
    CHECK(refused([](auto& s) { std::swap(s.epochs[5].roster[0], s.epochs[5].roster[1]); }));
    CHECK(refused([](auto& s) { s.epochs[5].roster.push_back(s.epochs[5].roster.back()); }));
    CHECK(refused([](auto& s) {
        s.other[5] = s.epochs[5];
        s.other[5].roster[0].role = static_cast<MemberRole>(4);
    }));
    CHECK(refused([](auto& s) { s.epochs.clear(); }));
    CHECK(refused([](auto& s) { s.epoch = 4; }));
    CHECK(refused([](auto& s) {
        for (std::uint64_t n = 6; n < 80; ++n) s.epochs[s.epoch = n] = s.epochs[5];
    }));
}
