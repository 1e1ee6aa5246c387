#include "nimes/mirror.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kBroker = 16;
constexpr std::size_t kItem = 68;

void write_broker(Writer& out, std::string_view name) {
    const auto n = std::min(name.size(), kBroker);
    out.text(name.substr(0, n)).zeros(kBroker - n);
}

// The name, then zeros; or empty when it is not one.
std::string read_broker(Reader& in) {
    const auto bytes = in.take(kBroker);
    const auto end = std::find(bytes.begin(), bytes.end(), 0);
    const std::string name(bytes.begin(), end);
    const bool zeros = std::all_of(end, bytes.end(), [](auto b) { return b == 0; });
    return zeros && is_broker_name(name) ? name : std::string();
}

Result<std::vector<MirrorItem>> read_items(Reader& in, std::uint32_t n) {
    std::vector<MirrorItem> out;
    out.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) {
        MirrorItem item;
        item.device = in.id<DeviceId>();
        item.identity = in.id<PublicKey>();
        const auto state = in.u8();
        in.expect_u8(0);
        in.expect_u8(0);
        in.expect_u8(0);
        item.state = static_cast<MirrorState>(state);
        item.not_before = in.u64();
        item.not_after = in.u64();
        if (in.failed() || state < 1 || state > 3) return fail(Errc::malformed, "not a mirror item");
        if (!out.empty() && !(out.back().device < item.device))
            return fail(Errc::malformed, "mirror items out of order");
        out.push_back(item);
    }
    return out;
}

}  // namespace

bool is_broker_name(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= kBroker && std::all_of(name.begin(), name.end(), fits);
}

Bytes MirrorPart::encode_signed(const SigningKey& directory_key) const {
    Writer out;
    out.text("NMmi").u8(1).u8(static_cast<std::uint8_t>(kind)).u8(0).u8(0).id(org);
    write_broker(out, broker);
    out.u64(issued).u64(from).u64(to).u16(part).u16(parts).u32(static_cast<std::uint32_t>(items.size()));
    for (const auto& i : items) {
        out.id(i.device).id(i.identity).u8(static_cast<std::uint8_t>(i.state)).zeros(3);
        out.u64(i.not_before).u64(i.not_after);
    }
    out.id(sign(directory_key, label::kMirror, {out.view()}));
    return std::move(out).take();
}

Result<MirrorPart> MirrorPart::open(ByteView bytes, const PublicKey& key, const OrgId& org, std::string_view broker) {
    if (bytes.size() < Signature::size) return fail(Errc::malformed, "not a mirror part");
    const auto body = bytes.first(bytes.size() - Signature::size);
    if (!verify(key, Signature::from(bytes.last(Signature::size)), label::kMirror, {body}))
        return fail(Errc::signature_invalid, "of a mirror part");
    Reader in(body);
    MirrorPart out;
    in.expect("NMmi");
    in.expect_u8(1);
    const auto kind = in.u8();
    in.expect_u8(0);
    in.expect_u8(0);
    out.kind = static_cast<Kind>(kind);
    out.org = in.id<OrgId>();
    out.broker = read_broker(in);
    out.issued = in.u64();
    out.from = in.u64();
    out.to = in.u64();
    out.part = in.u16();
    out.parts = in.u16();
    const auto n = in.u32();
    if (in.failed() || kind < 1 || kind > 2 || n > kMaxItems || in.left() != n * kItem)
        return fail(Errc::malformed, "not a mirror part");
    if (out.org != org || out.broker.empty() || out.broker != broker)
        return fail(Errc::malformed, "a mirror part for another organisation or broker");
    const bool delta = out.kind == Kind::delta;
    if (out.part >= out.parts || (delta && out.parts != 1) || (!delta && out.from != 0) || out.from > out.to)
        return fail(Errc::malformed, "parts or revisions do not fit");
    auto items = read_items(in, n);
    if (!items) return pass(items);
    out.items = std::move(*items);
    return out;
}

Result<Presence> Presence::parse(ByteView bytes) {
    Reader in(bytes);
    Presence out;
    in.expect("NMmp");
    in.expect_u8(1);
    const auto kind = in.u8();
    in.expect_u8(0);
    in.expect_u8(0);
    out.kind = static_cast<Kind>(kind);
    out.device = in.id<DeviceId>();
    out.connection = in.u64();
    out.at = in.u64();
    if (!in.done() || kind < 1 || kind > 2) return fail(Errc::malformed, "not a presence record");
    return out;
}

Bytes Presence::encode() const {
    Writer out;
    out.text("NMmp").u8(1).u8(static_cast<std::uint8_t>(kind)).u8(0).u8(0).id(device).u64(connection).u64(at);
    return std::move(out).take();
}

Result<EdgeState> EdgeState::parse(ByteView bytes) {
    Reader in(bytes);
    EdgeState out;
    in.expect("NMme");
    in.expect_u8(1);
    for (int i = 0; i < 3; ++i) in.expect_u8(0);
    out.started = in.u64();
    out.mirror_revision = in.u64();
    const auto wants = in.u8();
    for (int i = 0; i < 7; ++i) in.expect_u8(0);
    out.wants_full = wants == 1;
    for (auto* field :
         {&out.devices, &out.connected, &out.admitted, &out.refused, &out.denied, &out.kicked, &out.tick_gap_max})
        *field = in.u64();
    if (!in.done() || wants > 1) return fail(Errc::malformed, "not an edge state");
    return out;
}

Bytes EdgeState::encode() const {
    Writer out;
    out.text("NMme").u8(1).zeros(3).u64(started).u64(mirror_revision).u8(wants_full ? 1 : 0).zeros(7);
    for (const auto field : {devices, connected, admitted, refused, denied, kicked, tick_gap_max}) out.u64(field);
    return std::move(out).take();
}

}  // namespace nimes
