// Attacks on messages (FORMATS.md 2.14).
#include "nimes/label.hpp"
#include "sealing/message_parts.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

TEST_CASE("replay, reorder, drop of messages") {
    Pair p;
    auto sending = p.chain();
    auto chain = p.receive(p.grant(sending));
    const Bytes wires[] = {p.message(sending, 1), p.message(sending, 2), p.message(sending, 3)};
    const auto take = [&](const Bytes& wire) {
        auto opened = open_message(chain, wire);
        if (opened) chain = std::move(opened->chain);
        return opened.has_value();
    };
    CHECK(take(wires[2]));
    CHECK_FALSE(take(wires[2]));
    CHECK(take(wires[0]));  // out of order, by a key that was passed over
    CHECK_FALSE(take(wires[0]));
    CHECK_FALSE(take(wires[2]));
    // What was dropped is seen: its key is still kept, and the next message names it (prev_own).
    CHECK(chain.skipped.size() == 1);
    CHECK(chain.skipped.contains(1));
}

TEST_CASE("invisible salamander") {
    // Anna grants one chain with two keys: Bernd and Clara hold the same id and signer. A ciphertext that opens under
    // Clara's key, signed with Bernd's commitment, says nothing to her.
    Pair p;
    auto to_bernd = p.chain();
    auto to_clara = SendingChain::parse(to_bernd.encode()).value();
    p.random.fill(to_clara.chain_key.edit());
    const auto clara = p.receive(p.grant(to_clara));
    REQUIRE(clara.id == to_bernd.id);

    MessageHeader header;
    header.chain = to_bernd.id;
    p.random.fill(header.guard);
    const auto about = about_message(p.conversation, p.anna, p.anna_cert.device, header.encode());
    const auto bernds = step(to_bernd.chain_key), claras = step(to_clara.chain_key);
    const auto plain = p.content(1).encode().value();
    const auto ciphertext = aead_seal(claras.key.view(), guarded_nonce(claras, header), plain, message_aad(about));
    const auto wire_with = [&](const MessageKeys& committed) {
        const auto signature = sign_message(to_clara.signing.secret, about, committed, ciphertext);
        return std::move(Writer().bytes(header.encode()).bytes(ciphertext).id(signature)).take();
    };
    REQUIRE(open_message(clara, wire_with(claras)));
    CHECK_FALSE(open_message(clara, wire_with(bernds)));
}

TEST_CASE("length, linkability") {
    Pair p;
    auto sending = p.chain();
    const auto size = [&](std::size_t body) {
        auto content = p.content(1);
        content.body = Bytes(body, 'x');
        return seal_message(sending, p.anna, p.anna_cert.device, content, p.random)->size();
    };
    CHECK(size(0) == 240);
    CHECK(size(72) == 240);  // "no" and a text of 68 characters look alike
    CHECK(size(73) == 368);
    CHECK(size(200) == 368);
    CHECK(size(10'000) == size(10'001));
    // And no padding is a channel of its own: any other than zeros up to the step is malformed.
    auto padded = p.content(1).encode().value();
    padded.back() = 1;
    CHECK_FALSE(Content::parse(padded));
}

TEST_CASE("two-time pad after rollback") {
    Pair p;
    const auto image = p.chain().encode();
    auto once = SendingChain::parse(image).value(), again = SendingChain::parse(image).value();
    const auto receiver = p.receive(p.grant(once));
    const auto first = p.message(once, 1), second = p.message(again, 2);
    const auto a = WireMessage::parse(first).value(), b = WireMessage::parse(second).value();
    REQUIRE(a.header.index == b.header.index);
    CHECK(a.header.guard != b.header.guard);
    // Content begins alike (version, kind, time): under one key stream the ciphertexts would, too.
    CHECK_FALSE(std::equal(a.ciphertext.begin(), a.ciphertext.begin() + 12, b.ciphertext.begin()));
    REQUIRE(open_message(receiver, first));
    CHECK(open_message(receiver, second));
}

TEST_CASE("denial of service by huge index, n, path") {
    Pair p;
    auto sending = p.chain();
    const auto chain = p.receive(p.grant(sending));
    // An index beyond the chain's end is refused before a single step: the chain is as it was.
    auto far = SendingChain::parse(sending.encode()).value();
    far.max_index = 5'000;
    while (far.index <= sending.max_index) {
        (void)step(far.chain_key);
        ++far.index;
    }
    CHECK_FALSE(open_message(chain, p.message(far, 1)));
    // A chain of more than 1,023 is none, whoever signed it.
    auto endless = p.chain(sending.chain_no);
    endless.max_index = 1'024;
    const auto opened = open_grant(p.grant(endless), p.finder()).value();
    CHECK(judge_grant(opened, p.facts(), p.now).outcome == Outcome::dropped);
    // Counts are held against the bytes that are there, before anything is reserved.
    auto upload = p.grant(sending);
    upload[GrantHeader::kBytes - 4] = 0xff;  // n_wraps
    CHECK_FALSE(GrantUpload::parse(upload));
    ConvEvent event;
    event.actor_user = p.anna;
    event.items = {{p.anna, MemberRole::administrator, RosterOp::add}};
    auto bytes = event.encode();
    REQUIRE(ConvEvent::parse(bytes));
    bytes[ConvEvent::kFixed - 64 - 32 - 2] = 0xff;  // n
    CHECK_FALSE(ConvEvent::parse(bytes));
    Bytes path(1 + 129 * Digest::size);
    path[0] = 129;
    CHECK_FALSE(parse_path(path));
}

TEST_CASE("EdDSA edge cases") {
    Pair p;
    const auto about = as_bytes("a message");
    auto signature = sign(p.anna_key.secret, label::kToken, {about});
    REQUIRE(verify(p.anna_key.public_key, signature, label::kToken, {about}));
    // S + L: the same signature in other bytes.
    static constexpr std::uint8_t kOrder[] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                              0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                              0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    auto malleated = signature;
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += malleated.bytes[32 + i] + kOrder[i];
        malleated.bytes[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    CHECK_FALSE(verify(p.anna_key.public_key, malleated, label::kToken, {about}));
    // The neutral point as key, R = that point, S = 0: to a lenient verifier this signs everything, so that one message
    // could be claimed under any commitment.
    PublicKey neutral;
    neutral.bytes[0] = 1;
    Signature of_all;
    of_all.bytes[0] = 1;
    for (const auto* text : {"a", "b", "c"}) CHECK_FALSE(verify(neutral, of_all, label::kToken, {as_bytes(text)}));
}
