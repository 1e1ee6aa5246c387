#include "sealing/chain.hpp"

#include "nimes/label.hpp"

namespace nimes::agent::sealing {
namespace {

constexpr std::uint8_t kFormat = 1;

void put_keys(Writer& out, const MessageKeys& keys) {
    out.bytes(keys.key.view()).bytes(keys.nonce.view()).bytes(keys.commitment.view());
}

MessageKeys read_keys(Reader& in) {
    MessageKeys out;
    out.key = Key(in.take(32));
    out.nonce = Secret<24>(in.take(24));
    out.commitment = Key(in.take(32));
    return out;
}

// One encoding, here too: 0 or 1.
bool read_flag(Reader& in, bool& out) {
    const auto byte = in.u8();
    out = byte == 1;
    return byte <= 1;
}

}  // namespace

MessageKeys step(Key& chain_key) {
    Secret<64> message;
    MessageKeys out;
    kdf(message.edit(), 1, label::kChainContext, chain_key);
    kdf(out.commitment.edit(), 2, label::kChainContext, chain_key);
    Key next;
    kdf(next.edit(), 3, label::kChainContext, chain_key);
    chain_key = std::move(next);
    out.key = Key(message.view().first(32));
    out.nonce = Secret<24>(message.view().subspan(32, 24));
    return out;
}

Bytes SendingChain::encode() const {
    Writer out;
    out.u8(kFormat).id(conversation).u32(chain_no).id(id).bytes(signing.secret.view()).bytes(chain_key.view());
    out.u32(index).u32(max_index).u64(created).u64(expires).u64(conv_epoch);
    out.id(last_message)
        .id(prev_digest)
        .u32(prev_count)
        .u8(resend ? 1 : 0)
        .u32(static_cast<std::uint32_t>(granted.size()));
    for (const auto& device : granted) out.id(device);
    return std::move(out).take();
}

Result<SendingChain> SendingChain::parse(ByteView bytes) {
    Reader in(bytes);
    SendingChain out;
    in.expect_u8(kFormat);
    out.conversation = in.id<ConversationId>();
    out.chain_no = in.u32();
    out.id = in.id<ChainId>();
    const auto secret = in.take(SigningKey::size);
    if (secret.size() == SigningKey::size) {
        out.signing.secret = SigningKey(secret);
        out.signing.public_key = PublicKey::from(secret.last(PublicKey::size));
    }
    out.chain_key = Key(in.take(32));
    out.index = in.u32();
    out.max_index = in.u32();
    out.created = in.u64();
    out.expires = in.u64();
    out.conv_epoch = in.u64();
    out.last_message = in.id<Digest>();
    out.prev_digest = in.id<Digest>();
    out.prev_count = in.u32();
    bool strict = read_flag(in, out.resend);
    for (auto n = in.u32(); n > 0 && !in.failed(); --n) {
        const auto device = in.id<DeviceId>();
        strict = strict && (out.granted.empty() || *out.granted.rbegin() < device);
        out.granted.insert(out.granted.end(), device);
    }
    if (!in.done() || !strict) return fail(Errc::malformed, "a stored sending chain");
    return out;
}

ReceivingChain ReceivingChain::copy() const {
    ReceivingChain out;
    out.conversation = conversation;
    out.user = user;
    out.device = device;
    out.chain_no = chain_no;
    out.id = id;
    out.signing = signing;
    out.chain_key = chain_key.copy();
    out.index = index;
    out.max_index = max_index;
    out.created = created;
    out.expires = expires;
    out.conv_epoch = conv_epoch;
    out.resend = resend;
    out.withhold = withhold;
    for (const auto& [i, keys] : skipped) out.skipped.emplace(i, keys.copy());
    return out;
}

Bytes ReceivingChain::encode() const {
    Writer out;
    out.u8(kFormat).id(conversation).id(user).id(device).u32(chain_no).id(id).id(signing).bytes(chain_key.view());
    out.u32(index).u32(max_index).u64(created).u64(expires).u64(conv_epoch).u8(resend ? 1 : 0).u8(withhold ? 1 : 0);
    out.u32(static_cast<std::uint32_t>(skipped.size()));
    for (const auto& [i, keys] : skipped) {
        out.u32(i);
        put_keys(out, keys);
    }
    return std::move(out).take();
}

Result<ReceivingChain> ReceivingChain::parse(ByteView bytes) {
    Reader in(bytes);
    ReceivingChain out;
    in.expect_u8(kFormat);
    out.conversation = in.id<ConversationId>();
    out.user = in.id<UserId>();
    out.device = in.id<DeviceId>();
    out.chain_no = in.u32();
    out.id = in.id<ChainId>();
    out.signing = in.id<PublicKey>();
    out.chain_key = Key(in.take(32));
    out.index = in.u32();
    out.max_index = in.u32();
    out.created = in.u64();
    out.expires = in.u64();
    out.conv_epoch = in.u64();
    bool strict = read_flag(in, out.resend);
    strict = read_flag(in, out.withhold) && strict;
    for (auto n = in.u32(); n > 0 && !in.failed(); --n) {
        const auto i = in.u32();
        strict = strict && (out.skipped.empty() || out.skipped.rbegin()->first < i);
        out.skipped.emplace_hint(out.skipped.end(), i, read_keys(in));
    }
    if (!in.done() || !strict) return fail(Errc::malformed, "a stored receiving chain");
    return out;
}

}  // namespace nimes::agent::sealing
