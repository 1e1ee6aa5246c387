#include <algorithm>
#include <numeric>

#include "devices.hpp"
#include "vectors/golden.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

TEST_CASE("every message of a chain opens once, in whatever order it comes") {
    Pair p;
    auto sending = p.chain();
    const auto start = p.receive(p.grant(sending));
    std::vector<Bytes> wires;
    for (std::uint8_t i = 0; i < 6; ++i) wires.push_back(p.message(sending, i));
    std::vector<std::size_t> order(wires.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
        auto chain = start.copy();
        for (const auto i : order) {
            auto opened = open_message(chain, wires[i]);
            REQUIRE(opened);
            REQUIRE(opened->content == p.content(static_cast<std::uint8_t>(i)));
            chain = std::move(opened->chain);
            REQUIRE_FALSE(open_message(chain, wires[i]));  // never twice
        }
        REQUIRE(chain.skipped.empty());
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("one flipped bit anywhere in a message is refused, and leaves nothing to store") {
    Pair p;
    auto sending = p.chain();
    const auto chain = p.receive(p.grant(sending));
    const auto before = chain.encode();
    const auto wire = p.message(sending, 1);
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
        auto bad = wire;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        REQUIRE_FALSE(open_message(chain, bad));
    }
    CHECK(chain.encode() == before);
    CHECK(open_message(chain, wire));
}

TEST_CASE("a message does not open in another's name, nor in another conversation") {
    Pair p;
    auto sending = p.chain();
    const auto chain = p.receive(p.grant(sending));
    const auto wire = p.message(sending, 1);
    auto user = chain.copy();
    user.user = p.bernd;
    CHECK_FALSE(open_message(user, wire));
    auto device = chain.copy();
    device.device = p.bernd_cert.device;
    CHECK_FALSE(open_message(device, wire));
    auto conversation = chain.copy();
    conversation.conversation = pair_id(p.anna, p.anna);
    CHECK_FALSE(open_message(conversation, wire));
    auto signer = chain.copy();
    signer.signing = p.anna_key.public_key;
    CHECK_FALSE(open_message(signer, wire));
}

TEST_CASE("a sender restored from an older image repeats no (key, nonce) with another text") {
    Pair p;
    const auto image = p.chain().encode();
    auto a = SendingChain::parse(image).value(), b = SendingChain::parse(image).value();
    const auto first = p.message(a, 1), second = p.message(b, 2);
    REQUIRE(first.size() == second.size());
    CHECK(MessageHeader::parse(ByteView(first).first(32))->index ==
          MessageHeader::parse(ByteView(second).first(32))->index);
    CHECK(MessageHeader::parse(ByteView(first).first(32))->guard !=
          MessageHeader::parse(ByteView(second).first(32))->guard);
    // The keystreams differ: equal plaintext bytes (version, kind) do not give equal ciphertext.
    CHECK_FALSE(std::equal(first.begin() + 32, first.begin() + 32 + 24, second.begin() + 32));
}

TEST_CASE("authentic but malformed content uses up its index and says so") {
    Pair p;
    auto sending = p.chain();
    const auto chain = p.receive(p.grant(sending));
    auto content = p.content(1);
    content.resent = true;  // only re-send chains carry that flag
    const auto wire = seal_message(sending, p.anna, p.anna_cert.device, content, p.random).value();
    const auto opened = open_message(chain, wire);
    REQUIRE(opened);
    CHECK_FALSE(opened->content);
    CHECK_FALSE(open_message(opened->chain, wire));
}

TEST_CASE("a chain ends at its last index") {
    Pair p;
    auto sending = p.chain();
    sending.max_index = 2;
    for (std::uint8_t i = 0; i <= 2; ++i) (void)p.message(sending, i);
    CHECK_FALSE(seal_message(sending, p.anna, p.anna_cert.device, p.content(4), p.random));
}

TEST_CASE("what one device keeps of a chain comes back as it was, and not from any other bytes") {
    Pair p;
    auto sending = p.chain();
    sending.granted = {p.bernd_cert.device};
    auto chain = p.receive(p.grant(sending));
    std::vector<Bytes> wires;
    for (std::uint8_t i = 0; i < 4; ++i) wires.push_back(p.message(sending, i));
    chain = std::move(open_message(chain, wires[3])->chain);
    CHECK(chain.skipped.size() == 3);
    CHECK(SendingChain::parse(sending.encode())->encode() == sending.encode());
    CHECK(ReceivingChain::parse(chain.encode())->encode() == chain.encode());
    auto longer = chain.encode();
    longer.push_back(0);
    CHECK_FALSE(ReceivingChain::parse(longer));
    CHECK_FALSE(ReceivingChain::parse(ByteView(longer).first(longer.size() - 2)));
}

TEST_CASE("golden messages open with this opener", "[vectors]") {
    const auto v = test::golden("conversation.json");
    const auto identity = test::golden("identity.json");
    ReceivingChain chain;
    chain.conversation = test::id<ConversationId>(v["event"]["conversation"]);
    chain.user = test::id<UserId>(identity["user"]);
    chain.device = test::id<DeviceId>(identity["device_a"]);
    chain.signing = test::seeded(13).public_key;
    chain.chain_key = Key(test::bytes(v["messages"][0]["ck"]));
    chain.max_index = 127;
    chain.id = MessageHeader::parse(ByteView(test::bytes(v["messages"][0]["wire"])).first(32))->chain;
    for (const auto& m : v["messages"]) {
        auto opened = open_message(chain, test::bytes(m["wire"]));
        REQUIRE(opened);
        CHECK(opened->content->encode().value() == test::bytes(m["content"]));
        chain = std::move(opened->chain);
    }
}
