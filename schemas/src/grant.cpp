#include "nimes/grant.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr Millis kYear2020 = Millis{1'577'836'800} * kSecond;
constexpr std::uint8_t kGrantType = 1;

}  // namespace

Result<GrantHeader> GrantHeader::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a grant header has 88 bytes");
    Reader in(bytes);
    GrantHeader h;
    in.expect_u8(kGrantType);
    in.expect_u8(1);
    in.expect_u8(1);
    const auto flags = in.u8();
    h.resend = flags == 1;
    h.conversation = in.id<ConversationId>();
    h.device = in.id<DeviceId>();
    h.chain = in.id<ChainId>();
    h.dk_commit = in.id<Digest>();
    h.n_wraps = in.u32();
    if (!in.done() || flags > 1) return fail(Errc::malformed, "not a grant header of version 1");
    return h;
}

Bytes GrantHeader::encode() const {
    Writer out;
    out.u8(kGrantType).u8(1).u8(1).u8(resend ? 1 : 0).id(conversation).id(device).id(chain).id(dk_commit).u32(n_wraps);
    return std::move(out).take();
}

Result<ChainBody> ChainBody::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a chain body has 264 bytes");
    Reader in(bytes);
    ChainBody b;
    in.expect("NMcb");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto flags = in.u8();
    in.expect_u8(0);
    b.resend = flags == 1;
    b.conversation = in.id<ConversationId>();
    b.conv_epoch = in.u64();
    b.conv_state = in.id<Digest>();
    b.user = in.id<UserId>();
    b.device = in.id<DeviceId>();
    b.chain_no = in.u32();
    b.first_index = in.u32();
    b.created = in.u64();
    b.expires = in.u64();
    b.max_index = in.u32();
    b.dir_revision = in.u64();
    b.dir_head = in.id<Digest>();
    b.chain_key = Key(in.take(Key::size));
    b.chain_sig = in.id<PublicKey>();
    b.prev_chain_digest = in.id<Digest>();
    b.prev_chain_count = in.u32();
    if (!in.done() || flags > 1) return fail(Errc::malformed, "not a chain body of version 1");
    return b;
}

Bytes ChainBody::encode() const {
    Writer out;
    out.text("NMcb").u8(1).u8(1).u8(resend ? 1 : 0).u8(0).id(conversation).u64(conv_epoch).id(conv_state);
    out.id(user).id(device).u32(chain_no).u32(first_index).u64(created).u64(expires).u32(max_index);
    out.u64(dir_revision)
        .id(dir_head)
        .bytes(chain_key.view())
        .id(chain_sig)
        .id(prev_chain_digest)
        .u32(prev_chain_count);
    return std::move(out).take();
}

ChainId chain_id(const DeviceId& device, const ConversationId& conversation, std::uint32_t chain_no,
                 const PublicKey& chain_sig) {
    Writer number;
    number.u32(chain_no);
    return ChainId::from(hash(label::kChainId, {device.view(), conversation.view(), number.view(), chain_sig.view()})
                             .view()
                             .first(ChainId::size));
}

std::uint32_t next_chain_no(std::uint32_t last, Millis created) {
    const auto seconds = created > kYear2020 ? (created - kYear2020) / kSecond : 0;
    return std::max(last + 1, static_cast<std::uint32_t>(seconds));
}

Result<GrantUpload> GrantUpload::parse(ByteView bytes) {
    if (bytes.size() < kGrantDelivered) return fail(Errc::malformed, "a grant has at least 524 bytes");
    auto header = GrantHeader::parse(bytes.first(GrantHeader::kBytes));
    if (!header) return pass(header);
    if (header->n_wraps < 1 || header->n_wraps > kMaxWraps)
        return fail(Errc::too_large, "1 to 700 wraps in one upload");
    if (bytes.size() != kGrantShared + header->n_wraps * kWrap)
        return fail(Errc::malformed, "the length does not fit the wraps");
    GrantUpload out{*header, bytes.subspan(GrantHeader::kBytes, kGrantCiphertext), {}};
    out.wraps.reserve(header->n_wraps);
    Reader in(bytes.subspan(kGrantShared));
    while (in.left() > 0) {
        Wrap w;
        w.dev_no = in.u32();
        w.key_id = in.u32();
        w.sealed = in.array<84>();
        out.wraps.push_back(w);
    }
    return out;
}

Bytes GrantUpload::delivered(std::size_t i) const { return encode_grant(header, ciphertext, std::span(&wraps[i], 1)); }

Bytes encode_grant(const GrantHeader& header, ByteView ciphertext, std::span<const Wrap> wraps) {
    auto counted = header;
    counted.n_wraps = static_cast<std::uint32_t>(wraps.size());
    Writer out;
    out.bytes(counted.encode()).bytes(ciphertext);
    for (const auto& w : wraps) out.u32(w.dev_no).u32(w.key_id).bytes(w.sealed);
    return std::move(out).take();
}

}  // namespace nimes
