// A group whose administrators are gone: what the organisation may do in it, and what it may not.
#include "unit/device-agent/conversation/team.hpp"

using namespace nimes;
using namespace nimes::agent::conversation;

namespace {

// Anna leads, Bernd posts, Clara reads; Anna's one device is revoked by kNow.
struct Orphan : Team {
    std::optional<ConversationState> state;
    DirectoryEntry of_anna{anna, {anna_cert}, {test::revoke_by_admin(org, anna, anna_cert.device, 2)}};
    std::map<UserId, DirectoryEntry> entries{{anna, of_anna}};
    Millis at = test::kNow;

    Orphan() {
        REQUIRE(take(state, create_group(by_anna(), {bernd}, random)) == Applied::applied);
        const auto add = change_group(by_anna(), *state, {{clara, MemberRole::reader, RosterOp::add}}).value();
        REQUIRE(take(state, add) == Applied::applied);
    }
    Result<ConvEvent> appoint(const UserId& member, const SigningKeyPair& by) {
        return make_appointment(by, org.keys.org, {state->id, state->epoch, state->now().state, state->now().roster},
                                member, head, at);
    }
    ConvEvent good() { return appoint(bernd, org.admin).value(); }
    ActorFacts facts() {
        ActorFacts out;
        out.entry_known = true;
        out.head = ActorFacts::Head::verified;
        out.keys = &org.keys;
        out.head_ts = head.ts;
        out.entry_of = [this](const UserId& user) {
            const auto found = entries.find(user);
            return found == entries.end() ? nullptr : &found->second;
        };
        return out;
    }
    Applied judge(const ConvEvent& e) {
        auto scratch = state;
        const auto outcome = apply(scratch, e, facts());
        const bool moved = outcome == Applied::applied || outcome == Applied::forked;
        CHECK((moved || scratch->encode() == state->encode()));
        return outcome;
    }
    void sign(ConvEvent& e) const {
        e.signature = nimes::sign(org.admin.secret, "NM1/convevent", {org.keys.org.view(), e.body()});
    }
};

}  // namespace

TEST_CASE("a member of an orphaned group is made its administrator, and goes on as one") {
    Orphan o;
    const auto event = o.good();
    REQUIRE(ConvEvent::parse(event.encode()).value() == event);
    REQUIRE(apply(o.state, event, o.facts()) == Applied::applied);
    CHECK(o.state->member(o.bernd)->role == MemberRole::administrator);
    CHECK(o.state->member(o.anna)->role == MemberRole::administrator);
    CHECK(o.state->now().roster.size() == 3);
    CHECK(o.state->more_than_additions_since(2));  // chains are opened anew
    CHECK(apply(o.state, event, o.facts()) == Applied::repeated);
    const auto removal =
        change_group(o.by_bernd(), *o.state, {{o.anna, MemberRole::administrator, RosterOp::remove}}).value();
    CHECK(o.take(o.state, removal) == Applied::applied);
    CHECK(ConversationState::parse(o.state->encode())->encode() == o.state->encode());
}

TEST_CASE("while an administrator has a device nobody is appointed") {
    Orphan o;
    const auto event = o.good();
    REQUIRE(o.judge(event) == Applied::applied);
    auto& anna = o.entries.at(o.anna);
    SECTION("not revoked at all") { anna.revokes.clear(); }
    SECTION("revoked after it") { anna.revokes[0].effective = event.ts + 1; }
    SECTION("past its dates, which can be renewed") {
        anna.revokes.clear();
        anna.certs[0].not_after = event.ts - 1;
    }
    SECTION("another device of hers") {
        anna.certs.push_back(test::certify(o.org, o.anna, test::key_pair(21), 3, Admission::approved));
    }
    SECTION("another administrator") {
        auto up = change_group(o.by_anna(), *o.state, {{o.clara, MemberRole::administrator, RosterOp::set_role}});
        REQUIRE(o.take(o.state, up.value()) == Applied::applied);
        o.entries[o.clara] = {o.clara, {test::certify(o.org, o.clara, test::key_pair(22), 1)}, {}};
        CHECK(o.judge(o.good()) == Applied::dropped);
        o.entries.at(o.clara).revokes = {
            test::revoke_by_admin(o.org, o.clara, o.entries.at(o.clara).certs[0].device, 2)};
        CHECK(o.judge(o.good()) == Applied::applied);
        return;
    }
    CHECK(o.judge(event) == Applied::dropped);
}

TEST_CASE("a device that comes later does not undo an appointment, for whoever judges it then") {
    Orphan o;
    auto back = test::certify(o.org, o.anna, test::key_pair(21), 3, Admission::approved);
    back.not_before = o.at + 1;
    o.entries.at(o.anna).certs.push_back(back);
    CHECK(o.judge(o.good()) == Applied::applied);
    o.entries.at(o.anna).certs.back().not_before = o.at;
    CHECK(o.judge(o.good()) == Applied::dropped);
}

TEST_CASE("an appointment is of its head's time: it does not speak of a time before any device") {
    Orphan o;
    o.entries.at(o.anna).revokes.clear();
    o.at = o.anna_cert.not_before - 1;
    CHECK(o.judge(o.good()) == Applied::dropped);
    o.entries.at(o.anna) = o.of_anna;
    o.entries.at(o.anna).revokes[0].effective = 0;
    o.at = o.head.ts - 10 * kMinute;
    CHECK(o.judge(o.good()) == Applied::applied);
    o.at -= 1;
    CHECK(o.judge(o.good()) == Applied::dropped);
}

TEST_CASE("what an appointment is judged by must be here first") {
    Orphan o;
    const auto event = o.good();
    o.entries.clear();
    CHECK(o.judge(event) == Applied::held);
    auto facts = o.facts();
    facts.head = ActorFacts::Head::unknown;
    auto scratch = o.state;
    CHECK(apply(scratch, event, facts) == Applied::held);
    facts.head = ActorFacts::Head::failed;
    CHECK(apply(scratch, event, facts) == Applied::dropped);
    facts = o.facts();
    facts.keys = nullptr;
    CHECK(apply(scratch, event, facts) == Applied::dropped);
}

TEST_CASE("only a pinned administrator key appoints, for this organisation and this very event") {
    Orphan o;
    for (const auto* key : {&o.org.ea, &o.org.directory, &o.anna_key, &o.bernd_key})
        CHECK(o.judge(o.appoint(o.bernd, *key).value()) == Applied::dropped);
    auto event = o.good();
    event.signature = sign_event(o.org.admin.secret, event.body());  // without the organisation's name
    CHECK(o.judge(event) == Applied::dropped);
    event = o.good();
    event.signature.bytes[0] ^= 1;
    CHECK(o.judge(event) == Applied::dropped);
    event = o.good();
    event.actor_user = o.bernd;
    o.sign(event);
    CHECK(o.judge(event) == Applied::dropped);
    event = o.good();
    event.actor_device = o.bernd_cert.device;
    o.sign(event);
    CHECK(o.judge(event) == Applied::dropped);
}

TEST_CASE("an appointment is one member's new role and nothing else") {
    Orphan o;
    CHECK(o.appoint(test::user(9), o.org.admin).error().code == Errc::not_a_member);
    CHECK(o.appoint(o.anna, o.org.admin).error().code == Errc::exists);
    const auto refused = [&](std::vector<RosterItem> items, const Roster& after, EventKind kind = EventKind::change) {
        auto e = o.good();
        e.kind = kind;
        e.items = std::move(items);
        e.roster_root = roster_root(after);
        o.sign(e);
        return o.judge(e) == Applied::dropped;
    };
    const auto& roster = o.state->now().roster;
    auto stranger = roster, fewer = roster, both = roster, poster = roster;
    stranger.push_back({test::user(9), MemberRole::administrator});
    fewer.erase(fewer.begin() + 2);
    both[1].role = both[2].role = MemberRole::administrator;
    poster[2].role = MemberRole::poster;
    CHECK(refused({{test::user(9), MemberRole::administrator, RosterOp::add}}, stranger));
    CHECK(refused({{o.clara, MemberRole::reader, RosterOp::remove}}, fewer));
    CHECK(refused({{o.bernd, MemberRole::administrator, RosterOp::set_role},
                   {o.clara, MemberRole::administrator, RosterOp::set_role}},
                  both));
    CHECK(refused({{o.clara, MemberRole::poster, RosterOp::set_role}}, poster));
    CHECK(refused({{o.anna, MemberRole::administrator, RosterOp::set_role}}, roster));
    CHECK(refused({}, roster, EventKind::close));
    std::vector<RosterItem> all;
    for (const auto& m : roster) all.push_back({m.user, m.role, RosterOp::add});
    CHECK(refused(all, roster, EventKind::restate));
    auto create = o.good();
    create.kind = EventKind::create;
    create.epoch = 1;
    create.items = {{UserId{}, MemberRole::administrator, RosterOp::add}};
    create.roster_root = roster_root({{UserId{}, MemberRole::administrator}});
    create.conversation = create.id_of_create();
    o.sign(create);
    std::optional<ConversationState> none;
    CHECK(apply(none, create, o.facts()) == Applied::dropped);
    CHECK_FALSE(none);
    CHECK_FALSE(ConvEvent::parse(create.encode()));
}

TEST_CASE("an appointment of another epoch, branch or group is not taken") {
    Orphan o;
    const auto early = o.good();
    REQUIRE(apply(o.state, early, o.facts()) == Applied::applied);
    auto again = early;  // the same appointment for the epoch behind it
    again.epoch += 1;
    again.prev_hash = o.state->now().state;
    o.sign(again);
    CHECK(o.judge(again) == Applied::dropped);
    auto elsewhere = early;
    elsewhere.conversation.bytes[0] ^= 1;
    o.sign(elsewhere);
    CHECK(o.judge(elsewhere) == Applied::dropped);
    // Bernd has a device: the group is not orphaned any more.
    o.entries[o.bernd] = {o.bernd, {o.bernd_cert}, {}};
    CHECK(o.judge(o.appoint(o.clara, o.org.admin).value()) == Applied::dropped);
}

TEST_CASE("two appointments at once are a fork, which the two appointed end together") {
    Orphan o;
    const auto clara_key = test::key_pair(13);
    const auto clara_cert = test::certify(o.org, o.clara, clara_key, 1);
    const EventMaker by_clara{o.clara, clara_cert.device, clara_key.secret, o.head, test::kNow};
    const auto one = o.good(), other = o.appoint(o.clara, o.org.admin).value();
    auto left = o.state, right = o.state;
    REQUIRE(apply(left, one, o.facts()) == Applied::applied);
    REQUIRE(apply(right, other, o.facts()) == Applied::applied);
    REQUIRE(apply(o.state, one, o.facts()) == Applied::applied);
    REQUIRE(apply(o.state, other, o.facts()) == Applied::forked);
    CHECK(o.state->agreed() ==
          Roster{{o.anna, MemberRole::administrator}, {o.bernd, MemberRole::poster}, {o.clara, MemberRole::reader}});
    CHECK(o.take(o.state, mend_group(o.by_bernd(), *o.state).value()) == Applied::dropped);
    // Each names the other in the branch that is theirs; then either is an administrator of both.
    const auto back =
        change_group(o.by_bernd(), *left, {{o.clara, MemberRole::administrator, RosterOp::set_role}}).value();
    const auto forth =
        change_group(by_clara, *right, {{o.bernd, MemberRole::administrator, RosterOp::set_role}}).value();
    REQUIRE(apply(o.state, back, o.knows(o.bernd_cert)) == Applied::applied);
    REQUIRE(apply(o.state, forth, o.knows(clara_cert)) == Applied::applied);
    CHECK(o.take(o.state, mend_group(o.by_bernd(), *o.state).value()) == Applied::applied);
    CHECK_FALSE(o.state->forked);
    CHECK(o.state->member(o.clara)->role == MemberRole::administrator);
}
