#include <catch2/catch.hpp>

#include "golden.hpp"
#include "nimes/blob.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/grant.hpp"
#include "nimes/label.hpp"
#include "nimes/message.hpp"

using namespace nimes;
using namespace nimes::test;

TEST_CASE("golden: a group's creation, a pair", "[vectors]") {
    const auto v = golden("conversation.json");
    const auto event = ConvEvent::parse(bytes(v["event"]["bytes"])).value();
    CHECK(event.encode() == bytes(v["event"]["bytes"]));
    CHECK(event.id_of_create() == id<ConversationId>(v["event"]["conversation"]));
    CHECK(event.conversation == event.id_of_create());
    CHECK(event.state() == id<Digest>(v["event"]["state"]));
    CHECK(event.roster_root == id<Digest>(v["event"]["roster_root"]));
    Roster roster;
    for (const auto& item : event.items) roster.push_back({item.user, item.role});
    CHECK(roster_root(roster) == event.roster_root);
    CHECK(verify_event(event, seeded(11).public_key));
    const auto a = id<UserId>(v["pair"]["users"][0]), b = id<UserId>(v["pair"]["users"][1]);
    CHECK(pair_id(b, a) == id<ConversationId>(v["pair"]["conversation"]));
    CHECK(pair_state(a, b) == id<Digest>(v["pair"]["state"]));
}

TEST_CASE("golden: a grant opens, and its chain is the one it names", "[vectors]") {
    const auto v = golden("conversation.json")["grant"];
    const auto header = GrantHeader::parse(bytes(v["header"])).value();
    CHECK(header.encode() == bytes(v["header"]));
    const Key dk(bytes(v["dk"]));
    Key k_body, commit;
    kdf(k_body.edit(), 1, label::kGrantContext, dk);
    kdf(commit.edit(), 2, label::kGrantContext, dk);
    CHECK(commit.equals(header.dk_commit.view()));
    Writer aad;
    aad.bytes(label16(label::kGrantAad)).bytes(ByteView(bytes(v["header"])).first(GrantHeader::kBound));
    const auto plain = aead_open(k_body.view(), ByteArray<24>{}, bytes(v["ciphertext"]), aad.view()).value();
    const auto body = ChainBody::parse(ByteView(plain).first(ChainBody::kBytes)).value();
    CHECK(body.encode() == bytes(v["body"]));
    CHECK(chain_id(body.device, body.conversation, body.chain_no, body.chain_sig) == header.chain);
    const auto body_hash = hash(label::kGrantBody, {bytes(v["body"])});
    CHECK(verify(seeded(11).public_key, Signature::from(ByteView(plain).last(64)), label::kGrantSig,
                 {ByteView(bytes(v["header"])).first(GrantHeader::kBound), body_hash.view()}));
}

TEST_CASE("golden: three messages of a chain", "[vectors]") {
    const auto v = golden("conversation.json");
    ByteArray<16> prev{};
    for (const auto& m : v["messages"]) {
        const auto wire_bytes = bytes(m["wire"]);
        const auto wire = WireMessage::parse(wire_bytes).value();
        CHECK(wire.header.index == m["index"].get<std::uint32_t>());
        CHECK(wire.header.encode() == to_bytes(wire.header_bytes));
        const Key ck(bytes(m["ck"]));
        Bytes mk(64);
        kdf(mk, 1, label::kChainContext, ck);
        CHECK(mk == bytes(m["mk"]));
        auto nonce = to_bytes(ByteView(mk).subspan(32, 24));
        for (std::size_t i = 0; i < 8; ++i) nonce[16 + i] ^= wire.header.guard[i];
        Writer who;
        who.bytes(bytes(v["event"]["conversation"])).bytes(bytes(golden("identity.json")["user"]));
        who.bytes(bytes(golden("identity.json")["device_a"])).bytes(wire.header_bytes);
        Writer aad;
        aad.bytes(label16(label::kMessageAad)).bytes(who.view());
        const auto plain = aead_open(ByteView(mk).first(32), nonce, wire.ciphertext, aad.view()).value();
        CHECK(plain == bytes(m["content"]));
        CHECK(verify(seeded(13).public_key, wire.signature, label::kMessageSig,
                     {who.view(), bytes(m["kc"]), hash(label::kMessageCiphertext, {wire.ciphertext}).view()}));
        const auto content = Content::parse(plain).value();
        CHECK(content.encode().value() == plain);
        CHECK(content.prev_own == prev);
        std::copy_n(message_digest(wire_bytes).bytes.begin(), 16, prev.begin());
    }
    CHECK(bytes(v["messages"][1]["wire"]).size() == 240);
}

TEST_CASE("golden: padding, and a blob of three chunks", "[vectors]") {
    const auto v = golden("conversation.json");
    for (const auto& row : v["padding"]) CHECK(padded_length(row[0].get<std::size_t>()) == row[1].get<std::size_t>());
    for (const auto& row : v["padme"]) CHECK(padme(row[0].get<std::uint64_t>()) == row[1].get<std::uint64_t>());

    const auto b = v["blob"];
    const BlobShape shape{id<BlobId>(b["blob"]), id<ConversationId>(v["event"]["conversation"]),
                          b["padded"].get<std::uint64_t>()};
    const Key key(bytes(b["key"]));
    REQUIRE(shape.chunks() == b["chunk_sha256"].size());
    Bytes data(static_cast<std::size_t>(shape.padded), 0);
    for (std::size_t i = 0; i < b["plain_length"].get<std::size_t>(); ++i)
        data[i] = static_cast<std::uint8_t>(i * 7 % 251);
    Bytes all;
    for (std::uint64_t i = 0; i < shape.chunks(); ++i) {
        const auto plain = ByteView(data).subspan(static_cast<std::size_t>(i) * kBlobChunk, shape.chunk_plain(i));
        Bytes sealed(plain.size() + kBlobTag);
        seal_chunk(sealed, shape, key, i, plain);
        CHECK(sha256({sealed}) == id<Digest>(b["chunk_sha256"][static_cast<std::size_t>(i)]));
        all.insert(all.end(), sealed.begin(), sealed.end());
        Bytes opened(plain.size());
        REQUIRE(open_chunk(opened, shape, key, i, sealed));
        CHECK(opened == to_bytes(plain));
        REQUIRE_FALSE(open_chunk(opened, shape, key, i + 1, sealed));
    }
    CHECK(sha256({all}) == id<Digest>(b["digest"]));
}
