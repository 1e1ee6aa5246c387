#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "conversation/content.hpp"
#include "conversation/events.hpp"
#include "unit/schemas/identity_fixture.hpp"

using namespace nimes;
using namespace nimes::agent::conversation;

namespace {

struct Random final : RandomSource {
    std::uint8_t n = 0;
    void fill(std::span<std::uint8_t> out) override {
        for (auto& b : out) b = ++n;
    }
};

struct Team {
    test::Organisation org;
    Random random;
    UserId anna = test::user(1), bernd = test::user(2), clara = test::user(3);
    SigningKeyPair anna_key = test::key_pair(11), bernd_key = test::key_pair(12);
    DeviceCert anna_cert = test::certify(org, anna, anna_key, 1), bernd_cert = test::certify(org, bernd, bernd_key, 1);
    DirectoryHead head = [] {
        DirectoryHead h;
        h.revision = 5;
        h.ts = test::kNow;
        return h;
    }();

    EventMaker by_anna() { return {anna, anna_cert.device, anna_key.secret, head, test::kNow}; }
    EventMaker by_bernd() { return {bernd, bernd_cert.device, bernd_key.secret, head, test::kNow}; }
    ActorFacts knows(const DeviceCert& cert) const { return {true, &cert, nullptr, ActorFacts::Head::verified}; }
    ActorFacts facts(const ConvEvent& e) const { return knows(e.actor_user == anna ? anna_cert : bernd_cert); }
    Applied take(std::optional<ConversationState>& state, const ConvEvent& e) { return apply(state, e, facts(e)); }

    // A history of five events, each on top of the one before.
    std::vector<ConvEvent> history() {
        std::vector<ConvEvent> out{create_group(by_anna(), {bernd}, random)};
        std::optional<ConversationState> state;
        REQUIRE(take(state, out[0]) == Applied::applied);
        const auto next = [&](Result<ConvEvent> e) {
            REQUIRE(e);
            REQUIRE(take(state, *e) == Applied::applied);
            out.push_back(*e);
        };
        next(change_group(by_anna(), *state, {{clara, MemberRole::reader, RosterOp::add}}));
        next(change_group(by_anna(), *state, {{bernd, MemberRole::administrator, RosterOp::set_role}}));
        next(change_group(by_bernd(), *state, {{clara, MemberRole::reader, RosterOp::remove}}));
        next(restate_group(by_bernd(), *state));
        return out;
    }
};

}  // namespace

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
                if (!state && i == 4) continue;  // a restate would begin a state of its own
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
    auto replaced = stolen;
    replaced.reason = RevokeReason::replaced;
    replaced.effective = create.ts + 1;
    facts.revoke = &replaced;
    auto again = state;
    CHECK(apply(again, create, facts) == Applied::applied);
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
    CHECK(pair->id == pair_conversation(team.bernd, team.anna).id);
    CHECK(pair_conversation(team.anna, team.anna).now().roster.size() == 1);
}

TEST_CASE("content: what was said comes back, and a kind that does not fit its content is malformed") {
    const auto round_trip = [](const Meaning& meaning) {
        const auto body = encode(meaning).value();
        return decode(body.kind, body.bytes).value();
    };
    CHECK(std::get<Text>(round_trip(Text{"Gänsemarkt 😀"})).text == "Gänsemarkt 😀");
    CHECK(std::get<Info>(round_trip(Info{"Einsatz"})).title == "Einsatz");
    Media media;
    media.plain_length = 1'000;
    media.padded_length = padme(1'000);
    media.caption = "von vorn";
    CHECK(std::get<Media>(round_trip(std::move(media))).caption == "von vorn");

    const auto text = encode(Text{"x"}).value();
    CHECK_FALSE(decode(2, text.bytes));
    CHECK_FALSE(decode(0, text.bytes));
    CHECK(std::get<Unknown>(decode(99, text.bytes).value()).kind == 99);  // a newer version's
    CHECK_FALSE(encode(Text{std::string(kMaxText + 1, 'x')}));
    CHECK_FALSE(encode(Unknown{7}));
    for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\xe0\x80\xaf"}) {
        CHECK_FALSE(valid_utf8(bad));
        CHECK_FALSE(encode(Text{bad}));
    }
    Media wrong;
    wrong.plain_length = 1'000;
    wrong.padded_length = 1'000'000;
    CHECK_FALSE(encode(Meaning(std::move(wrong))));
}
