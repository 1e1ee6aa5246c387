#include "devices.hpp"
#include "nimes/label.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

namespace {

Verdict judge(Pair& p, const std::function<void(GrantFacts&)>& change, Millis now = test::kNow) {
    auto sending = p.chain();
    const auto opened = open_grant(p.grant(sending), p.finder()).value();
    auto facts = p.facts();
    change(facts);
    return judge_grant(opened, facts, now);
}

}  // namespace

TEST_CASE("a grant opens for whom it is, and hands out the chain as it stands") {
    Pair p;
    auto sending = p.chain();
    (void)p.message(sending, 1);
    const auto late = p.receive(p.grant(sending));  // a joiner
    CHECK(late.index == 1);
    CHECK(open_message(late, p.message(sending, 2)));
}

TEST_CASE("R1: another key, no key, a box that was changed") {
    Pair p;
    auto sending = p.chain();
    const auto wire = p.grant(sending);
    CHECK(open_grant(wire, p.finder()));
    CHECK_FALSE(open_grant(wire, [](std::uint32_t) { return nullptr; }));
    const auto wrong = make_batch(p.bernd_key.secret, p.bernd_cert.device, 1, p.now, p.random);
    CHECK_FALSE(open_grant(wire, [&](std::uint32_t) { return &wrong[0]; }));
}

TEST_CASE("one flipped bit anywhere in a grant is refused") {
    Pair p;
    auto sending = p.chain();
    const auto wire = p.grant(sending);
    const auto facts = p.facts();
    REQUIRE(wire.size() == kGrantDelivered);
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
        auto bad = wire;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        const auto opened = open_grant(bad, p.finder());
        if (!opened) continue;
        // dev_no is routing alone, and not covered: nothing else may pass.
        const bool routing = bit / 8 >= kGrantShared && bit / 8 < kGrantShared + 4;
        REQUIRE((routing || judge_grant(*opened, facts, p.now).outcome == Outcome::dropped));
    }
}

TEST_CASE("R2: a grant whose key is not the one it commits to is refused, though all else fits") {
    Pair p;
    auto sending = p.chain();
    const auto honest = GrantUpload::parse(p.grant(sending)).value();
    for (const bool lie : {false, true}) {
        // Made by a sender who knows everything: header, signature and ciphertext belong together.
        Key dk, body_key, commitment;
        p.random.fill(dk.edit());
        kdf(body_key.edit(), 1, label::kGrantContext, dk);
        kdf(commitment.edit(), 2, label::kGrantContext, dk);
        auto header = honest.header;
        header.dk_commit = Digest::from(commitment.view());
        if (lie) header.dk_commit.bytes[0] ^= 1;
        const auto bound = to_bytes(ByteView(header.encode()).first(GrantHeader::kBound));
        ChainBody body;
        body.conversation = p.conversation;
        body.conv_state = p.state;
        body.user = p.anna;
        body.device = p.anna_cert.device;
        body.chain_no = sending.chain_no;
        body.created = sending.created;
        body.expires = sending.expires;
        body.max_index = sending.max_index;
        body.dir_revision = 5;
        body.dir_head = p.head;
        body.chain_key = sending.chain_key.copy();
        body.chain_sig = sending.signing.public_key;
        auto plain = body.encode();
        const auto signature =
            sign(p.anna_key.secret, label::kGrantSig, {bound, hash(label::kGrantBody, {plain}).view()});
        plain.insert(plain.end(), signature.bytes.begin(), signature.bytes.end());
        Writer aad;
        aad.bytes(label16(label::kGrantAad)).bytes(bound);
        Wrap wrap{7, p.bernd_keys[0].record.key_id, {}};
        const auto boxed = std::move(Writer().text("NMw1").bytes(dk.view())).take();
        (void)crypto_box_seal(wrap.sealed.data(), boxed.data(), boxed.size(), p.bernd_keys[0].record.key.bytes.data());
        header.n_wraps = 1;
        const auto wire =
            encode_grant(header, aead_seal(body_key.view(), ByteArray<24>{}, plain, aad.view()), std::span(&wrap, 1));
        CHECK(open_grant(wire, p.finder()).has_value() == !lie);
    }
}

TEST_CASE("R4: who signed it") {
    Pair p;
    CHECK(judge(p, [](GrantFacts& f) { f.sender_entry_known = false; }).outcome == Outcome::held);
    CHECK(judge(p, [](GrantFacts& f) { f.sender = nullptr; }).rule == "R4");
    CHECK(judge(p, [&](GrantFacts& f) { f.sender = &p.bernd_cert; }).rule == "R4");
    auto other_key = p.anna_cert;
    other_key.identity = p.bernd_key.public_key;
    CHECK(judge(p, [&](GrantFacts& f) { f.sender = &other_key; }).outcome == Outcome::dropped);
    auto expired = p.anna_cert;
    expired.not_after = p.now;
    CHECK(judge(p, [&](GrantFacts& f) { f.sender = &expired; }).outcome == Outcome::dropped);

    const auto stolen = test::revoke_by_admin(p.org, p.anna, p.anna_cert.device, 2);
    CHECK(judge(p, [&](GrantFacts& f) { f.sender_revoke = &stolen; }).outcome == Outcome::withheld);
    auto replaced = stolen;
    replaced.reason = RevokeReason::replaced;
    replaced.effective = p.now + 1;
    CHECK(judge(p, [&](GrantFacts& f) { f.sender_revoke = &replaced; }).outcome == Outcome::opened);
    replaced.effective = p.now;
    CHECK(judge(p, [&](GrantFacts& f) { f.sender_revoke = &replaced; }).outcome == Outcome::withheld);
}

TEST_CASE("R5: for which conversation, by a member, to a member") {
    Pair p;
    CHECK(judge(p, [](GrantFacts& f) { f.state_at_epoch.reset(); }).outcome == Outcome::held);
    CHECK(judge(p, [](GrantFacts& f) { f.state_at_epoch = Digest{}; }).rule == "R5");
    CHECK(judge(p, [](GrantFacts& f) { f.closed_at_epoch = true; }).rule == "R5");
    CHECK(judge(p, [](GrantFacts& f) { f.own_user = test::user(3); }).rule == "R5");
    const Roster reader{{p.anna, MemberRole::reader}, {p.bernd, MemberRole::poster}};
    CHECK(judge(p, [&](GrantFacts& f) { f.roster_at_epoch = &reader; }).rule == "R5");
    const Roster without{{p.bernd, MemberRole::poster}};
    CHECK(judge(p, [&](GrantFacts& f) { f.roster_now = &without; }).rule == "R5");
}

TEST_CASE("R6: under a head of its time") {
    Pair p;
    CHECK(judge(p, [](GrantFacts& f) { f.head = GrantFacts::Head::unknown; }).outcome == Outcome::held);
    const auto failed = judge(p, [](GrantFacts& f) { f.head = GrantFacts::Head::failed; });
    CHECK(failed.rule == "R6");
    CHECK_FALSE(failed.alarm.empty());
    CHECK(judge(p, [&](GrantFacts& f) { f.head_ts = p.now - kDay - 10 * kMinute; }).outcome == Outcome::opened);
    CHECK(judge(p, [&](GrantFacts& f) { f.head_ts = p.now - kDay - 10 * kMinute - 1; }).rule == "R6");
}

TEST_CASE("R7: chains only go forward") {
    Pair p;
    auto sending = p.chain();
    const auto first = p.grant(sending);
    const auto opened = open_grant(first, p.finder()).value();
    auto facts = p.facts();
    facts.highest_chain_no = sending.chain_no;
    CHECK(judge_grant(opened, facts, p.now).rule == "R7");
    facts.highest_chain_no = sending.chain_no - 1;
    CHECK(judge_grant(opened, facts, p.now).outcome == Outcome::opened);

    auto held = accept_grant(opened, facts, false);
    held = std::move(open_message(held, p.message(sending, 1))->chain);
    facts.held = &held;
    CHECK(judge_grant(opened, facts, p.now).rule == "R7");  // behind where we are
    (void)p.message(sending, 2);
    const auto further = open_grant(p.grant(sending), p.finder()).value();
    CHECK(judge_grant(further, facts, p.now).outcome == Outcome::opened);
    auto forward = accept_grant(further, facts, false);
    CHECK(forward.index == 2);
    CHECK(forward.skipped.size() == 1);  // what was passed over still opens

    auto other = held.copy();
    other.chain_key.data()[0] ^= 1;
    facts.held = &other;
    const auto twice = judge_grant(further, facts, p.now);
    CHECK(twice.rule == "R7");
    CHECK_FALSE(twice.alarm.empty());
}

TEST_CASE("R8: within its times and bounds") {
    Pair p;
    const auto none = [](GrantFacts&) {};
    CHECK(judge(p, none, test::kNow - 10 * kMinute).outcome == Outcome::opened);
    CHECK(judge(p, none, test::kNow - 10 * kMinute - 1).rule == "R8");
    CHECK(judge(p, none, test::kNow + 8 * kDay - 1).outcome == Outcome::opened);
    CHECK(judge(p, none, test::kNow + 8 * kDay).rule == "R8");

    const auto bad = [&](const std::function<void(SendingChain&)>& change) {
        auto sending = p.chain();
        change(sending);
        sending.id = chain_id(p.anna_cert.device, p.conversation, sending.chain_no, sending.signing.public_key);
        return judge_grant(open_grant(p.grant(sending), p.finder()).value(), p.facts(), p.now).rule;
    };
    CHECK(bad([](SendingChain& c) { c.expires = c.created + kDay + 1; }) == "R8");
    CHECK(bad([](SendingChain& c) { c.max_index = 1'024; }) == "R8");
    CHECK(bad([](SendingChain& c) { c.index = c.max_index + 1; }) == "R8");
    CHECK(bad([](SendingChain& c) { c.chain_no += 1'001; }) == "R8");
    CHECK(bad([](SendingChain& c) { c.chain_no += 1'000; }).empty());
}

TEST_CASE("1,500 recipients are three uploads, and each opens its own") {
    Pair p;
    auto sending = p.chain();
    std::vector<GrantRecipient> to;
    for (std::uint32_t i = 0; i < 1'500; ++i)
        to.push_back({i, p.bernd_keys[0].record.key_id, p.bernd_keys[0].record.key});
    const auto uploads = seal_grant(sending, p.binding(), p.anna_key.secret, to, p.random).value();
    REQUIRE(uploads.size() == 3);
    std::size_t wraps = 0;
    for (const auto& upload : uploads) {
        const auto parsed = GrantUpload::parse(upload).value();
        wraps += parsed.wraps.size();
        CHECK(open_grant(parsed.delivered(parsed.wraps.size() - 1), p.finder()));
        CHECK_FALSE(open_grant(upload, p.finder()));  // n_wraps must be 1
    }
    CHECK(wraps == 1'500);
}
