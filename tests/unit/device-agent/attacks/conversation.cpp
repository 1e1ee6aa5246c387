// Attacks on who is in a conversation (FORMATS.md 2.14).
#include "unit/device-agent/conversation/team.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::conversation;

TEST_CASE("server adds a member") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    const auto before = state->encode();
    const auto honest = change_group(team.by_anna(), *state, {{team.clara, MemberRole::poster, RosterOp::add}}).value();
    // In Anna's name, by a key of the server's own.
    auto forged = honest;
    forged.signature = sign_event(test::key_pair(66).secret, forged.body());
    CHECK(team.take(state, forged) == Applied::dropped);
    // By a member who is no administrator, as a server could get one to.
    const auto of_poster = change_group(team.by_bernd(), *state, {{team.clara, MemberRole::poster, RosterOp::add}});
    CHECK(team.take(state, of_poster.value()) == Applied::dropped);
    // With a signed roster that says another thing than the items.
    auto crooked = honest;
    crooked.roster_root = roster_root(state->now().roster);
    crooked.signature = sign_event(team.anna_key.secret, crooked.body());
    CHECK(team.take(state, crooked) == Applied::dropped);
    CHECK(state->encode() == before);
    CHECK(team.take(state, honest) == Applied::applied);
}

TEST_CASE("server withholds a removal") {
    using namespace nimes::agent::sealing;
    // Bernd has not been shown epoch 1. Anna's next chain is bound to it: he does not take it on the roster that he
    // knows, but holds it until he is shown the event.
    Pair p;
    auto sending = p.chain();
    auto binding = p.binding();
    binding.conv_epoch = 1;
    binding.conv_state = sha256({as_bytes("after the removal")});
    const GrantRecipient to{7, p.bernd_keys[0].record.key_id, p.bernd_keys[0].record.key};
    const auto wire = seal_grant(sending, binding, p.anna_key.secret, std::span(&to, 1), p.random).value().at(0);
    const auto opened = open_grant(wire, p.finder()).value();
    auto facts = p.facts();
    facts.state_at_epoch.reset();
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::held);
    // Shown another epoch 1 than Anna signed under, he refuses it.
    facts.state_at_epoch = sha256({as_bytes("what the server made of it")});
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::dropped);
    facts.state_at_epoch = binding.conv_state;
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::opened);
    // And every message of the chains that he holds already says which epoch its sender had applied.
    auto content = p.content(1);
    content.conv_epoch = 1;
    auto held = p.chain();
    const auto chain = p.receive(p.grant(held));
    const auto message = seal_message(held, p.anna, p.anna_cert.device, content, p.random).value();
    CHECK(open_message(chain, message)->content->conv_epoch == 1);
}

TEST_CASE("administrator key takes over a group") {
    Team team;
    std::optional<ConversationState> state;
    REQUIRE(team.take(state, create_group(team.by_anna(), {team.bernd}, team.random)) == Applied::applied);
    const auto before = state->encode();
    DirectoryEntry anna{team.anna, {team.anna_cert}, {}};
    ActorFacts facts;
    facts.entry_known = true;
    facts.head = ActorFacts::Head::verified;
    facts.keys = &team.org.keys;
    facts.head_ts = team.head.ts;
    facts.entry_of = [&](const UserId& user) { return user == team.anna ? &anna : nullptr; };
    const auto made = [&](const SigningKeyPair& by, const UserId& member) {
        return make_appointment(by, team.org.keys.org,
                                {state->id, state->epoch, state->now().state, state->now().roster}, member, team.head,
                                test::kNow)
            .value();
    };
    // A member who is the thief's friend, while Anna has her device.
    CHECK(apply(state, made(team.org.admin, team.bernd), facts) == Applied::dropped);
    // A stranger, even when Anna is gone; and by a key that is not the administrator's.
    anna.revokes.push_back(test::revoke_by_admin(team.org, team.anna, team.anna_cert.device, 2));
    auto stranger = made(team.org.admin, team.bernd);
    stranger.items = {{team.clara, MemberRole::administrator, RosterOp::add}};
    auto after = state->now().roster;
    after.push_back({team.clara, MemberRole::administrator});
    stranger.roster_root = roster_root(after);
    stranger.signature = sign(team.org.admin.secret, "NM1/convevent", {team.org.keys.org.view(), stranger.body()});
    CHECK(apply(state, stranger, facts) == Applied::dropped);
    CHECK(apply(state, made(team.org.directory, team.bernd), facts) == Applied::dropped);
    auto forged = made(team.org.admin, team.bernd);
    forged.signature = sign(team.org.directory.secret, "NM1/convevent", {team.org.keys.org.view(), forged.body()});
    CHECK(apply(state, forged, facts) == Applied::dropped);
    CHECK(state->encode() == before);
    CHECK(apply(state, made(team.org.admin, team.bernd), facts) == Applied::applied);
}
