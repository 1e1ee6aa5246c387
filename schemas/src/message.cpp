#include "nimes/message.hpp"

#include <algorithm>
#include <bit>

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::uint8_t kMessageType = 2;
constexpr std::size_t kSmallSteps[] = {128, 256, 512, 1'024};

}  // namespace

Result<MessageHeader> MessageHeader::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a message header has 32 bytes");
    Reader in(bytes);
    MessageHeader h;
    in.expect_u8(kMessageType);
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(0);
    h.chain = in.id<ChainId>();
    h.index = in.u32();
    h.guard = in.array<8>();
    if (!in.done()) return fail(Errc::malformed, "not a message header of version 1");
    return h;
}

Bytes MessageHeader::encode() const {
    Writer out;
    out.u8(kMessageType).u8(1).u8(1).u8(0).id(chain).u32(index).bytes(guard);
    return std::move(out).take();
}

Result<WireMessage> WireMessage::parse(ByteView bytes) {
    if (bytes.size() > kMaxMessage) return fail(Errc::too_large, "a message has at most 63,600 bytes");
    if (bytes.size() < kMessageOverhead + kSmallSteps[0])
        return fail(Errc::malformed, "a message has at least 240 bytes");
    auto header = MessageHeader::parse(bytes.first(MessageHeader::kBytes));
    if (!header) return pass(header);
    WireMessage out;
    out.header = *header;
    out.header_bytes = bytes.first(MessageHeader::kBytes);
    out.ciphertext = bytes.subspan(MessageHeader::kBytes, bytes.size() - MessageHeader::kBytes - Signature::size);
    out.signature = Signature::from(bytes.last(Signature::size));
    return out;
}

Digest message_digest(ByteView wire) { return hash(label::kMessageDigest, {wire}); }

Result<Bytes> Content::encode() const {
    const auto length = kContentFixed + body.size();
    if (length > kMaxContent || padded_length(length) > kMaxContent)
        return fail(Errc::too_large, "a message's content has at most 63,488 bytes with its padding");
    Writer out;
    out.u8(1).u8(kind).u16(resent ? 1 : 0).u64(sent).u64(conv_epoch).id(id).bytes(prev_own);
    out.u32(static_cast<std::uint32_t>(body.size())).bytes(body).zeros(padded_length(length) - length);
    return std::move(out).take();
}

Result<Content> Content::parse(ByteView padded) {
    if (padded.size() > kMaxContent) return fail(Errc::too_large, "content");
    Reader in(padded);
    Content c;
    in.expect_u8(1);
    c.kind = in.u8();
    const auto flags = in.u16();
    c.resent = flags == 1;
    c.sent = in.u64();
    c.conv_epoch = in.u64();
    c.id = in.id<MessageId>();
    c.prev_own = in.array<16>();
    const std::size_t length = in.u32();
    if (in.failed() || flags > 1 || length > in.left()) return fail(Errc::malformed, "not content of version 1");
    c.body = to_bytes(in.take(length));
    const auto rest = in.take(in.left());
    if (padded.size() != padded_length(kContentFixed + length))
        return fail(Errc::malformed, "another padding than asked for");
    if (std::any_of(rest.begin(), rest.end(), [](auto b) { return b != 0; }))
        return fail(Errc::malformed, "padding that is not zero");
    return c;
}

std::size_t padded_length(std::size_t length) {
    for (const auto step : kSmallSteps)
        if (length <= step) return step;
    return static_cast<std::size_t>(padme(length));
}

std::uint64_t padme(std::uint64_t length) {
    if (length < 2) return length;
    const auto e = static_cast<unsigned>(std::bit_width(length)) - 1;
    const auto s = static_cast<unsigned>(std::bit_width(e));
    const auto mask = (std::uint64_t{1} << (e - s)) - 1;
    return (length + mask) & ~mask;
}

}  // namespace nimes
