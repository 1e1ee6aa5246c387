// Attacks on grants (FORMATS.md 2.14): each test plays the attacker with everything that one may have.
//
// Of the table, the witnesses of "split view" have no test, since they are of a later release. The rest is in this
// folder.
#include "nimes/label.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

namespace {

// A third person with a device and a seal key; what she knows of Anna, and of the conversation that she is told of.
struct Clara {
    UserId user = test::user(3);
    SigningKeyPair key = test::key_pair(13);
    std::vector<OwnSealKey> keys;

    explicit Clara(Pair& p) : keys(make_batch(key.secret, device_id(user, key.public_key), 1, p.now, p.random)) {}
    SealKeyFinder finder() {
        return [this](std::uint32_t id) { return id == keys[0].record.key_id ? &keys[0] : nullptr; };
    }
    GrantFacts facts(Pair& p) const {
        auto out = p.facts();
        out.own_user = user;
        return out;
    }
};

// What whoever opened a wrap knows.
Key dk_of(const Bytes& wire, const OwnSealKey& key) {
    const auto upload = GrantUpload::parse(wire).value();
    Secret<36> plain;
    REQUIRE(crypto_box_seal_open(plain.data(), upload.wraps[0].sealed.data(), upload.wraps[0].sealed.size(),
                                 key.record.key.bytes.data(), key.secret.data()) == 0);
    return Key(plain.view().subspan(4));
}

// The shared part as it is, with DK wrapped for somebody else.
Bytes rewrapped(const Bytes& wire, const Key& dk, const OwnSealKey& to) {
    const auto upload = GrantUpload::parse(wire).value();
    Wrap wrap{1, to.record.key_id, {}};
    const auto plain = std::move(Writer().text("NMw1").bytes(dk.view())).take();
    REQUIRE(crypto_box_seal(wrap.sealed.data(), plain.data(), plain.size(), to.record.key.bytes.data()) == 0);
    return encode_grant(upload.header, upload.ciphertext, std::span(&wrap, 1));
}

// Another body under the same header, DK and signature.
Bytes with_body(const Bytes& wire, const Key& dk, const std::function<void(ChainBody&)>& change) {
    const auto upload = GrantUpload::parse(wire).value();
    const auto bound = to_bytes(ByteView(upload.header.encode()).first(GrantHeader::kBound));
    const auto aad = std::move(Writer().bytes(label16(label::kGrantAad)).bytes(bound)).take();
    Key body_key;
    kdf(body_key.edit(), 1, label::kGrantContext, dk);
    const ByteArray<24> nonce{};
    auto plain = aead_open(body_key.view(), nonce, upload.ciphertext, aad).value();
    auto body = ChainBody::parse(ByteView(plain).first(ChainBody::kBytes)).value();
    change(body);
    const auto changed = body.encode();
    std::copy(changed.begin(), changed.end(), plain.begin());
    return encode_grant(upload.header, aead_seal(body_key.view(), nonce, plain, aad), upload.wraps);
}

}  // namespace

TEST_CASE("surreptitious forwarding") {
    // Bernd hands Anna's grant on to Clara, as if Anna had meant her.
    Pair p;
    Clara clara(p);
    auto sending = p.chain();
    const auto wire = p.grant(sending);
    const auto forwarded = rewrapped(wire, dk_of(wire, p.bernd_keys[0]), clara.keys[0]);
    const auto opened = open_grant(forwarded, clara.finder());
    REQUIRE(opened);  // the box is honest; what it carries is not for her
    const auto verdict = judge_grant(*opened, clara.facts(p), p.now);
    CHECK(verdict.outcome == Outcome::dropped);
    CHECK(verdict.rule == "R5");
}

TEST_CASE("missing recipient binding") {
    Pair p;
    Clara clara(p);
    auto sending = p.chain();
    const auto wire = p.grant(sending);
    // The box itself: it binds the key it was sealed to.
    CHECK_FALSE(open_grant(wire, clara.finder()));
    // Its content: told that this is Anna's conversation with her, Clara sees that another state was signed.
    const auto opened = open_grant(rewrapped(wire, dk_of(wire, p.bernd_keys[0]), clara.keys[0]), clara.finder());
    REQUIRE(opened);
    auto facts = clara.facts(p);
    const Roster ours{{p.anna, MemberRole::poster}, {clara.user, MemberRole::poster}};
    facts.state_at_epoch = pair_state(p.anna, clara.user);
    facts.roster_at_epoch = facts.roster_now = &ours;
    CHECK(judge_grant(*opened, facts, p.now).outcome == Outcome::dropped);
}

TEST_CASE("no sender authentication in a sealed box") {
    // Anybody can seal to Bernd; a body that Anna did not sign is nobody's.
    Pair p;
    const auto eve = test::key_pair(66);
    auto sending = p.chain();
    const GrantRecipient to{7, p.bernd_keys[0].record.key_id, p.bernd_keys[0].record.key};
    const auto forged = seal_grant(sending, p.binding(), eve.secret, std::span(&to, 1), p.random).value().at(0);
    const auto opened = open_grant(forged, p.finder());
    REQUIRE(opened);
    const auto verdict = judge_grant(*opened, p.facts(), p.now);
    CHECK(verdict.outcome == Outcome::dropped);
    CHECK(verdict.rule == "R4");
}

TEST_CASE("key-compromise impersonation") {
    // Eve has Bernd's seal keys, so she reads Anna's grant and knows DK. She still puts no chain of hers into it.
    Pair p;
    auto sending = p.chain();
    const auto wire = p.grant(sending);
    const auto dk = dk_of(wire, p.bernd_keys[0]);
    const auto same = open_grant(with_body(wire, dk, [](ChainBody&) {}), p.finder());
    REQUIRE(judge_grant(same.value(), p.facts(), p.now).outcome == Outcome::opened);
    const auto forged = with_body(wire, dk, [&](ChainBody& b) { p.random.fill(b.chain_key.edit()); });
    const auto opened = open_grant(forged, p.finder());
    REQUIRE(opened);
    CHECK(judge_grant(*opened, p.facts(), p.now).outcome == Outcome::dropped);
}

TEST_CASE("replay of old grants") {
    Pair p;
    auto old = p.chain(), fresh = p.chain(old.chain_no);
    const auto wire = p.grant(old);
    const auto opened = open_grant(wire, p.finder()).value();
    auto facts = p.facts();
    facts.highest_chain_no = fresh.chain_no;
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::dropped);  // a newer chain was accepted
    CHECK(judge_grant(opened, p.facts(), old.expires + p.facts().retention).outcome == Outcome::dropped);
    facts = p.facts();
    const Roster without{{p.bernd, MemberRole::poster}};
    facts.roster_now = &without;
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::dropped);  // Anna was removed since
    facts = p.facts();
    facts.head_ts = old.created - kDay - 10 * kMinute - 1;
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::dropped);  // under a head that was old then
}

TEST_CASE("forwarded-key impersonation (CVE-2022-39249 kind)") {
    // Bernd opened Anna's chain and grants it on, as a chain of his own device and signed by himself.
    Pair p;
    auto sending = p.chain();
    auto handed_on = SendingChain::parse(sending.encode()).value();
    const GrantBinding as_bernd{p.bernd, p.bernd_cert.device, 0, p.state, 5, p.head};
    const GrantRecipient to{7, p.bernd_keys[0].record.key_id, p.bernd_keys[0].record.key};
    const auto wire = seal_grant(handed_on, as_bernd, p.bernd_key.secret, std::span(&to, 1), p.random).value().at(0);
    CHECK_FALSE(open_grant(wire, p.finder()));  // the chain's id names its device
    // In Anna's name it is not signed by Anna.
    const auto in_her_name =
        seal_grant(handed_on, p.binding(), p.bernd_key.secret, std::span(&to, 1), p.random).value().at(0);
    CHECK(judge_grant(open_grant(in_her_name, p.finder()).value(), p.facts(), p.now).outcome == Outcome::dropped);
}
