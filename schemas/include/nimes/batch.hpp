// Packets of many devices in one: what a broker's plugin and the gateway hand each other (FORMATS.md 3.6).
//
// UpBatch   32: "NMub" ver1 0 0 0 | number u64 | dropped u64 | waiting u64, then packets
// DownBatch  8: "NMdb" ver1 0 | n u16, then n × number u64 of the up batches that are done, then packets
// packet:       dev16 | length u32 | length bytes
// A batch is built in place: begin, append, seal. What is parsed are views into the bytes given, which must stay.
// Errors: Errc::malformed; a batch is taken whole or not at all. Pure; thread safe.
#pragma once

#include <vector>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes {

struct DevicePacket {
    static constexpr std::size_t kOverhead = DeviceId::size + 4;
    DeviceId device;
    ByteView bytes;
};

void append_packet(Bytes& batch, const DeviceId& device, ByteView bytes);

struct UpBatch {
    static constexpr std::size_t kHeader = 32;
    static constexpr std::size_t kFull = 64 * 1024;  // packets are added below this; one alone may be larger

    std::uint64_t number = 0;   // rises with each batch of this broker; named when the batch is done
    std::uint64_t dropped = 0;  // packets that found no room in the plugin, since its start
    std::uint64_t waiting = 0;  // bytes that stand behind this batch
    std::vector<DevicePacket> packets;

    static Bytes begin() { return Bytes(kHeader); }
    static void seal(Bytes& batch, std::uint64_t number, std::uint64_t dropped, std::uint64_t waiting);
    static Result<UpBatch> parse(ByteView bytes);
};

struct DownBatch {
    static constexpr std::size_t kMaxDone = 1'000;
    std::vector<std::uint64_t> done;
    std::vector<DevicePacket> packets;

    static Bytes begin(std::span<const std::uint64_t> done);  // at most kMaxDone
    static Result<DownBatch> parse(ByteView bytes);
};

}  // namespace nimes
