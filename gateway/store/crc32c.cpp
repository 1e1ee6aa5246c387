#include "store/crc32c.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace rocksdb::crc32c {

// RocksDB's declaration (util/crc32c.h): the sum of what came before and these bytes.
__attribute__((visibility("default"))) std::uint32_t Extend(std::uint32_t before, const char* data, std::size_t size) {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    auto sum = ~before;  // ISA-L leaves both inversions to its caller, and does not write to the bytes
    for (std::size_t n = 0; size > 0; data += n, size -= n) {
        n = std::min(size, kMost);
        sum = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(data)), static_cast<int>(n), sum);
    }
    return ~sum;
}

}  // namespace rocksdb::crc32c

namespace nimes::gateway::store {
namespace {

std::uint32_t bit_by_bit(std::uint32_t before, ByteView bytes) {
    auto sum = ~before;
    for (const auto byte : bytes) {
        sum ^= byte;
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ ((sum & 1) != 0 ? 0x82f6'3b78U : 0U);
    }
    return ~sum;
}

}  // namespace

std::uint32_t crc32c(ByteView bytes) {
    return rocksdb::crc32c::Extend(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool crc32c_fits() {
    if (crc32c(as_bytes("123456789")) != 0xe306'9283) return false;
    Bytes bytes(4'096);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 151 >> 3);
    for (const std::size_t from : std::initializer_list<std::size_t>{0, 1, 7, 3'001}) {
        const auto some = ByteView(bytes).subspan(from);
        const auto sum = rocksdb::crc32c::Extend(0x1234'5678, reinterpret_cast<const char*>(some.data()), some.size());
        if (sum != bit_by_bit(0x1234'5678, some)) return false;
    }
    return true;
}

}  // namespace nimes::gateway::store
