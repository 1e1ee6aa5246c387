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

std::uint32_t crc32c(ByteView bytes) {
    return rocksdb::crc32c::Extend(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool crc32c_fits() { return crc32c(as_bytes("123456789")) == 0xe306'9283; }

}  // namespace nimes::gateway::store
