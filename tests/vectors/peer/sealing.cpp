#include "nimes/blob.hpp"
#include "nimes/control.hpp"
#include "operations.hpp"
#include "sealing/grant_opener.hpp"
#include "sealing/grant_sealer.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/message_sealer.hpp"
#include "sealing/seal_keys.hpp"

namespace nimes::test::peer {
namespace {

using namespace nimes::agent::sealing;

// The chain whose grant is `body`, standing at its first index.
SendingChain sending_chain(const ChainBody& body, const Json& chain_seed) {
    SendingChain out;
    out.conversation = body.conversation;
    out.chain_no = body.chain_no;
    out.signing = signing_key_from_seed(bytes(chain_seed));
    out.id = chain_id(body.device, body.conversation, body.chain_no, out.signing.public_key);
    out.chain_key = body.chain_key.copy();
    out.index = body.first_index;
    out.max_index = body.max_index;
    out.created = body.created;
    out.expires = body.expires;
    out.conv_epoch = body.conv_epoch;
    out.prev_digest = body.prev_chain_digest;
    out.prev_count = body.prev_chain_count;
    out.resend = body.resend;
    return out;
}

Json grant_seal(const Json& q) {
    const auto body = must(ChainBody::parse(bytes(q.at("body"))));
    const GrantBinding binding{body.user,       body.device,       body.conv_epoch,
                               body.conv_state, body.dir_revision, body.dir_head};
    std::vector<GrantRecipient> to;
    for (const auto& r : q.at("recipients"))
        to.push_back({number<std::uint32_t>(r.at("dev_no")), number<std::uint32_t>(r.at("key_id")),
                      id<SealPublicKey>(r.at("key"))});
    GivenRandom random(bytes(q.at("random")));
    const auto identity = signing_key_from_seed(bytes(q.at("identity_seed")));
    const auto made = seal_grant(sending_chain(body, q.at("chain_seed")), binding, identity.secret, to, random);
    if (!made) return refused(made.error());
    Json uploads = Json::array();
    for (const auto& upload : *made) uploads.push_back(hex(upload));
    return {{"uploads", uploads}};
}

Json grant_open(const Json& q) {
    std::map<std::uint32_t, OwnSealKey> keys;
    for (const auto& k : q.at("keys")) {
        OwnSealKey key;
        key.secret = SealSecretKey(bytes(k.at("secret")));
        crypto_scalarmult_base(key.record.key.bytes.data(), key.secret.data());
        keys.emplace(number<std::uint32_t>(k.at("id")), std::move(key));
    }
    const auto find = [&](std::uint32_t key_id) -> const OwnSealKey* {
        const auto at = keys.find(key_id);
        return at == keys.end() ? nullptr : &at->second;
    };
    const auto opened = open_grant(bytes(q.at("wire")), find);
    if (!opened) return refused(opened.error());
    return {{"header", hex(opened->header.encode())},
            {"body", hex(opened->body.encode())},
            {"signature", hex(opened->signature.view())},
            {"body_hash", hex(opened->body_hash.view())}};
}

// The uploads of a grant, fanned out as the gateway does.
Json grant_fan_out(const Json& q) {
    const auto wire = bytes(q.at("wire"));
    const auto upload = GrantUpload::parse(wire);
    if (!upload) return refused(upload.error());
    Json out = Json::array();
    for (std::size_t i = 0; i < upload->wraps.size(); ++i) out.push_back(hex(upload->delivered(i)));
    return {{"delivered", out}};
}

Json message_seal(const Json& q) {
    const auto body = must(ChainBody::parse(bytes(q.at("grant_body"))));
    auto chain = sending_chain(body, q.at("chain_seed"));
    const auto& c = q.at("content");
    Content content;
    content.kind = c.at("kind").get<std::uint8_t>();
    content.resent = c.at("resent").get<bool>();
    content.sent = number(c.at("sent"));
    content.conv_epoch = number(c.at("epoch"));
    content.id = id<MessageId>(c.at("id"));
    content.prev_own = id<MessageId>(c.at("prev_own")).bytes;
    content.body = bytes(c.at("body"));
    for (auto skip = q.at("index").get<std::uint32_t>(); chain.index < skip; ++chain.index) (void)step(chain.chain_key);
    GivenRandom random(bytes(q.at("random")));
    const auto wire = seal_message(chain, body.user, body.device, content, random);
    if (!wire) return refused(wire.error());
    return {{"wire", hex(*wire)},
            {"chain_key", hex(chain.chain_key.view())},
            {"index", chain.index},
            {"digest", hex(chain.last_message.view())}};
}

// Messages of one chain, in the order they came; the chain goes on with those that opened.
Json messages_open(const Json& q) {
    OpenedGrant grant{must(GrantHeader::parse(bytes(q.at("grant_header")))),
                      must(ChainBody::parse(bytes(q.at("grant_body")))),
                      {},
                      {}};
    auto chain = accept_grant(grant, {}, false);
    Json out = Json::array();
    for (const auto& wire : q.at("wires")) {
        auto opened = open_message(chain, bytes(wire));
        if (!opened) {
            out.push_back(refused(opened.error()));
            continue;
        }
        chain = std::move(opened->chain);
        Json one = {{"index", opened->index}, {"digest", hex(opened->digest.view())}, {"content", nullptr}};
        if (opened->content) one["content"] = hex(must(opened->content->encode()));
        out.push_back(one);
    }
    return {{"messages", out}, {"index", chain.index}, {"skipped", chain.skipped.size()}};
}

BlobShape shape_of(const Json& q, std::uint64_t plain_length) {
    return {id<BlobId>(q.at("blob")), id<ConversationId>(q.at("conversation")), padme(plain_length)};
}

Json blob_seal(const Json& q) {
    auto data = bytes(q.at("plain"));
    const auto shape = shape_of(q, data.size());
    const Key key(bytes(q.at("key")));
    data.resize(static_cast<std::size_t>(shape.padded));
    Bytes all;
    for (std::uint64_t i = 0; i < shape.chunks(); ++i) {
        const auto plain = ByteView(data).subspan(static_cast<std::size_t>(i * kBlobChunk), shape.chunk_plain(i));
        Bytes sealed(plain.size() + kBlobTag);
        seal_chunk(sealed, shape, key, i, plain);
        all.insert(all.end(), sealed.begin(), sealed.end());
    }
    return {{"padded", shape.padded}, {"sealed", hex(all)}, {"digest", hex(sha256({all}).view())}};
}

Json blob_open(const Json& q) {
    const auto length = number(q.at("plain_length"));
    const auto shape = shape_of(q, length);
    const auto sealed = bytes(q.at("sealed"));
    if (sealed.size() != shape.sealed_size()) return refused({Errc::undecryptable, "another length"});
    const Key key(bytes(q.at("key")));
    Bytes out;
    for (std::uint64_t i = 0; i < shape.chunks(); ++i) {
        const auto chunk =
            ByteView(sealed).subspan(static_cast<std::size_t>(shape.sealed_offset(i)), shape.chunk_plain(i) + kBlobTag);
        Bytes plain(shape.chunk_plain(i));
        if (const auto ok = open_chunk(plain, shape, key, i, chunk); !ok) return refused(ok.error());
        out.insert(out.end(), plain.begin(), plain.end());
    }
    if (sha256({sealed}) != id<Digest>(q.at("digest"))) return refused({Errc::undecryptable, "another digest"});
    out.resize(static_cast<std::size_t>(length));
    return {{"plain", hex(out)}};
}

Json control_seal(const Json& q) {
    const auto made =
        seal_control(static_cast<ControlType>(q.at("type").get<int>()), id<DeviceId>(q.at("receiver")),
                     number<std::uint32_t>(q.at("key_id")), id<SealPublicKey>(q.at("key")), bytes(q.at("record")));
    return {{"wire", hex(made)}};
}

Json control_open(const Json& q) {
    const auto wire = bytes(q.at("wire"));
    const auto control = SealedControl::parse(wire);
    if (!control) return refused(control.error());
    const SealSecretKey secret(bytes(q.at("secret")));
    SealPublicKey key;
    crypto_scalarmult_base(key.bytes.data(), secret.data());
    const auto record = open_control(*control, key, secret);
    if (!record) return refused(record.error());
    return {{"type", static_cast<int>(control->type)},
            {"receiver", hex(control->receiver.view())},
            {"key_id", control->key_id},
            {"record", hex(*record)}};
}

}  // namespace

Operations sealing_operations() {
    return {{"grant_seal", grant_seal},     {"grant_open", grant_open},       {"grant_fan_out", grant_fan_out},
            {"message_seal", message_seal}, {"messages_open", messages_open}, {"blob_seal", blob_seal},
            {"blob_open", blob_open},       {"control_seal", control_seal},   {"control_open", control_open}};
}

}  // namespace nimes::test::peer
