#include "nimes/batch.hpp"

#include <algorithm>

namespace nimes {
namespace {

void put(Bytes& out, std::size_t at, std::uint64_t value, std::size_t n) {
    while (n-- > 0) out[at++] = static_cast<std::uint8_t>(value >> (8 * n));
}

Result<std::vector<DevicePacket>> packets_of(Reader& in) {
    std::vector<DevicePacket> out;
    while (in.left() > 0) {
        const auto device = in.id<DeviceId>();
        out.push_back({device, in.take(in.u32())});
    }
    if (!in.done()) return fail(Errc::malformed, "not a batch of packets");
    return out;
}

}  // namespace

void append_packet(Bytes& batch, const DeviceId& device, ByteView bytes) {
    const auto at = batch.size();
    batch.resize(at + DevicePacket::kOverhead);
    std::copy(device.bytes.begin(), device.bytes.end(), batch.begin() + static_cast<std::ptrdiff_t>(at));
    put(batch, at + DeviceId::size, bytes.size(), 4);
    batch.insert(batch.end(), bytes.begin(), bytes.end());
}

void UpBatch::seal(Bytes& batch, std::uint64_t number, std::uint64_t dropped, std::uint64_t waiting) {
    constexpr std::string_view kMagic("NMub\1\0\0\0", 8);
    std::copy(kMagic.begin(), kMagic.end(), batch.begin());
    put(batch, 8, number, 8);
    put(batch, 16, dropped, 8);
    put(batch, 24, waiting, 8);
}

Result<UpBatch> UpBatch::parse(ByteView bytes) {
    Reader in(bytes);
    UpBatch out;
    in.expect("NMub");
    in.expect_u8(1);
    for (int i = 0; i < 3; ++i) in.expect_u8(0);
    out.number = in.u64();
    out.dropped = in.u64();
    out.waiting = in.u64();
    auto packets = packets_of(in);
    if (!packets) return pass(packets);
    out.packets = std::move(*packets);
    return out;
}

Bytes DownBatch::begin(std::span<const std::uint64_t> done) {
    Writer out;
    out.text("NMdb").u8(1).u8(0).u16(static_cast<std::uint16_t>(done.size()));
    for (const auto number : done) out.u64(number);
    return std::move(out).take();
}

Result<DownBatch> DownBatch::parse(ByteView bytes) {
    Reader in(bytes);
    DownBatch out;
    in.expect("NMdb");
    in.expect_u8(1);
    in.expect_u8(0);
    const auto n = in.u16();
    if (n > kMaxDone) return fail(Errc::malformed, "too many batches done");
    for (std::size_t i = 0; i < n && !in.failed(); ++i) out.done.push_back(in.u64());
    auto packets = packets_of(in);
    if (!packets) return pass(packets);
    out.packets = std::move(*packets);
    return out;
}

}  // namespace nimes
