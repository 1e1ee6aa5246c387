#include "media/medium_head.hpp"

#include <algorithm>

#include "nimes/bytes.hpp"

namespace nimes::gateway::media {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::uint64_t MediumHead::charge() const {
    return kind == MediumKind::composed ? kLeastCharge : std::max(length, kLeastCharge);  // the parts are counted
}

Bytes MediumHead::encode() const {
    nimes::Writer out;
    out.u8(kVersion).u8(static_cast<std::uint8_t>(kind)).u8(deferred ? 1 : 0);
    out.id(user).id(owner).u64(length).u64(offset).u64(created).u64(expires).id(part_of);
    out.u8(static_cast<std::uint8_t>(parts.size()));
    for (const auto& part : parts) out.id(part.blob).u64(part.length).u64(part.created);
    return std::move(out).take();
}

Result<MediumHead> MediumHead::parse(ByteView bytes) {
    Reader in(bytes);
    MediumHead out;
    const auto version = in.u8();
    const auto kind = in.u8();
    const auto deferred = in.u8();
    out.deferred = deferred == 1;
    out.kind = static_cast<MediumKind>(kind);
    out.user = in.id<UserId>();
    out.owner = in.id<DeviceId>();
    out.length = in.u64();
    out.offset = in.u64();
    out.created = in.u64();
    out.expires = in.u64();
    out.part_of = in.id<BlobId>();
    const std::size_t parts = in.u8();
    for (std::size_t i = 0; i < std::min(parts, kMaxParts); ++i) {
        MediumPart part;
        part.blob = in.id<BlobId>();
        part.length = in.u64();
        part.created = in.u64();
        out.parts.push_back(part);
    }
    if (!in.done() || version != kVersion || kind > 2 || deferred > 1 || parts > kMaxParts)
        return fail(Errc::storage, "a stored medium's head is damaged");
    return out;
}

}  // namespace nimes::gateway::media
