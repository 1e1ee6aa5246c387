#include "nimes/control.hpp"

#include "nimes/encoding.hpp"
#include "nimes/label.hpp"

namespace nimes {

Result<SealedControl> SealedControl::parse(ByteView bytes) {
    if (bytes.size() > kMax) return fail(Errc::too_large, "a control record");
    Reader in(bytes);
    SealedControl out;
    const auto type = in.u8();
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(0);
    out.type = static_cast<ControlType>(type);
    out.receiver = in.id<DeviceId>();
    out.key_id = in.u32();
    const std::size_t record = type == 3 ? KeyRequest::kBytes : HistoryOffer::kBytes;
    out.sealed = in.take(record + crypto_box_SEALBYTES);
    if (type < 3 || type > 4 || !in.done()) return fail(Errc::malformed, "not a sealed control record");
    return out;
}

Bytes seal_control(ControlType type, const DeviceId& receiver, std::uint32_t key_id, const SealPublicKey& key,
                   ByteView record) {
    Bytes sealed(record.size() + crypto_box_SEALBYTES);
    if (crypto_box_seal(sealed.data(), record.data(), record.size(), key.bytes.data()) != 0) return {};
    Writer out;
    out.u8(static_cast<std::uint8_t>(type)).u8(1).u8(1).u8(0).id(receiver).u32(key_id).bytes(sealed);
    return std::move(out).take();
}

Result<Bytes> open_control(const SealedControl& control, const SealPublicKey& key, const SealSecretKey& secret) {
    Bytes out(control.sealed.size() - crypto_box_SEALBYTES);
    if (crypto_box_seal_open(out.data(), control.sealed.data(), control.sealed.size(), key.bytes.data(),
                             secret.data()) != 0)
        return fail(Errc::undecryptable);
    return out;
}

Result<KeyRequest> KeyRequest::parse(ByteView bytes) {
    Reader in(bytes);
    KeyRequest r;
    in.expect("NMkr");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto kind = in.u8();
    in.expect_u8(0);
    r.kind = static_cast<RequestKind>(kind);
    r.owner = in.id<DeviceId>();
    r.requester = in.id<DeviceId>();
    r.conversation = in.id<ConversationId>();
    r.chain = in.id<ChainId>();
    r.have_index = in.u32();
    r.nonce = in.array<16>();
    r.ts = in.u64();
    r.dir_revision = in.u64();
    r.dir_head = in.id<Digest>();
    r.signature = in.id<Signature>();
    if (!in.done() || kind < 1 || kind > 2) return fail(Errc::malformed, "not a key request");
    return r;
}

Bytes KeyRequest::body() const {
    Writer out;
    out.text("NMkr").u8(1).u8(1).u8(static_cast<std::uint8_t>(kind)).u8(0).id(owner).id(requester).id(conversation);
    out.id(chain).u32(have_index).bytes(nonce).u64(ts).u64(dir_revision).id(dir_head);
    return std::move(out).take();
}

Bytes KeyRequest::encode() const { return std::move(Writer().bytes(body()).id(signature)).take(); }

Signature sign_key_request(const SigningKey& identity, ByteView body) {
    return sign(identity, label::kKeyRequest, {body});
}
bool verify_key_request(const KeyRequest& request, const PublicKey& identity) {
    return verify(identity, request.signature, label::kKeyRequest, {request.body()});
}

Result<HistoryOffer> HistoryOffer::parse(ByteView bytes) {
    Reader in(bytes);
    HistoryOffer o;
    in.expect("NMho");
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(0);
    o.user = in.id<UserId>();
    o.old_device = in.id<DeviceId>();
    o.new_device = in.id<DeviceId>();
    o.new_cert = in.id<Digest>();
    o.blob = in.id<BlobId>();
    o.key = Key(in.take(Key::size));
    o.plain_length = in.u64();
    o.padded_length = in.u64();
    o.blob_digest = in.id<Digest>();
    o.from = in.u64();
    o.issued = in.u64();
    o.expires = in.u64();
    o.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a history offer");
    if (o.expires < o.issued || o.expires - o.issued > kMaxLife)
        return fail(Errc::malformed, "a history offer lives an hour at most");
    return o;
}

Bytes HistoryOffer::body() const {
    Writer out;
    out.text("NMho").u8(1).u8(1).u8(1).u8(0).id(user).id(old_device).id(new_device).id(new_cert).id(blob);
    out.bytes(key.view()).u64(plain_length).u64(padded_length).id(blob_digest).u64(from).u64(issued).u64(expires);
    return std::move(out).take();
}

Bytes HistoryOffer::encode() const { return std::move(Writer().bytes(body()).id(signature)).take(); }

Signature sign_history_offer(const SigningKey& identity, ByteView body) {
    return sign(identity, label::kHistoryOffer, {body});
}
bool verify_history_offer(const HistoryOffer& offer, const PublicKey& identity) {
    return verify(identity, offer.signature, label::kHistoryOffer, {offer.body()});
}

Digest history_code(const DeviceId& old_device, const DeviceId& new_device, const Digest& new_cert) {
    return hash(label::kHistoryCode, {old_device.view(), new_device.view(), new_cert.view()});
}
std::string history_code_text(const Digest& code) { return to_base32(code.view().first(8)).substr(0, 12); }

}  // namespace nimes
