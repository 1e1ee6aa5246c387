// What every implementation of the store shares: building a batch, its limits, numbers as keys.
#include "store/store.hpp"

namespace nimes::gateway::store {

Batch& Batch::put(std::string key, ByteView value) {
    writes.push_back({Write::Kind::put, std::move(key), {}, to_bytes(value)});
    return *this;
}

Batch& Batch::erase(std::string key) {
    writes.push_back({Write::Kind::erase, std::move(key), {}, {}});
    return *this;
}

Batch& Batch::erase_range(std::string from, std::string until) {
    writes.push_back({Write::Kind::erase_range, std::move(from), std::move(until), {}});
    return *this;
}

Batch& Batch::expect(std::string key, std::optional<Bytes> value) {
    expectations.push_back({std::move(key), std::move(value)});
    return *this;
}

std::string_view name(Family family) {
    constexpr std::string_view kNames[] = {"directory", "mailbox",     "bodies",       "conversation",
                                           "enrolment", "media_index", "media_blocks", "audit"};
    static_assert(std::size(kNames) == std::size(kFamilies));
    return kNames[static_cast<std::size_t>(family)];
}

Result<void> check_limits(const Batch& batch) {
    if (batch.partition.name.size() > kMaxPartitionName) return fail(Errc::too_large, "partition name");
    for (const auto& write : batch.writes) {
        if (write.key.size() > kMaxKey || write.until.size() > kMaxKey) return fail(Errc::too_large, "key");
        if (write.value.size() > kMaxValue) return fail(Errc::too_large, "value");
    }
    for (const auto& expectation : batch.expectations)
        if (expectation.key.size() > kMaxKey) return fail(Errc::too_large, "key");
    return {};
}

std::string key_u64(std::uint64_t value) {
    std::string key(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(value >> (56 - 8 * i));
    return key;
}

std::optional<std::uint64_t> u64_of(std::string_view key8) {
    if (key8.size() != 8) return std::nullopt;
    return Reader(as_bytes(key8)).u64();
}

}  // namespace nimes::gateway::store
