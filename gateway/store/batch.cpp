#include <algorithm>

#include "store/store.hpp"

namespace nimes::gateway::store {

Batch& Batch::put(std::string key, ByteView value) {
    writes.push_back({Write::Kind::put, std::move(key), {}, to_bytes(value), {}});
    return *this;
}

Batch& Batch::put_borrowed(std::string key, ByteView value) {
    writes.push_back({Write::Kind::put, std::move(key), {}, {}, value});
    return *this;
}

Batch& Batch::erase(std::string key) {
    writes.push_back({Write::Kind::erase, std::move(key), {}, {}, {}});
    return *this;
}

Batch& Batch::erase_range(std::string from, std::string until) {
    writes.push_back({Write::Kind::erase_range, std::move(from), std::move(until), {}, {}});
    return *this;
}

Batch& Batch::only_in(std::uint64_t which) {
    opening = which;
    return *this;
}

Batch& Batch::expect(std::string key, std::optional<Bytes> value) {
    expectations.push_back({std::move(key), std::move(value)});
    return *this;
}

Result<std::optional<std::size_t>> Store::read(const Partition& partition, std::string_view key, std::size_t offset,
                                               std::span<std::uint8_t> into) {
    auto value = get(partition, key);
    if (!value) return pass(value);
    if (!*value) return std::nullopt;
    return copy_part(**value, offset, into);
}

std::size_t copy_part(ByteView value, std::size_t offset, std::span<std::uint8_t> into) {
    const auto from = value.subspan(std::min(offset, value.size()));
    const auto n = std::min(from.size(), into.size());
    std::copy_n(from.begin(), n, into.begin());
    return n;
}

std::string key_u64(std::uint64_t value) {
    std::string out(8, '\0');
    for (std::size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
    return out;
}

std::optional<std::uint64_t> u64_of(std::string_view key8) {
    if (key8.size() != 8) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : key8) out = out << 8 | static_cast<std::uint8_t>(c);
    return out;
}

}  // namespace nimes::gateway::store
