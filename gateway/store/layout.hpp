// Keys as they stand in a column family: u8 length of the partition's name ‖ name ‖ key (LAYOUT.md). Pure.
#pragma once

#include "store/store.hpp"

namespace nimes::gateway::store::layout {

inline constexpr std::string_view kVersionKey = "layout";
inline constexpr std::string_view kVersion = "1";

inline std::string prefix(std::string_view partition) {
    std::string out(1, static_cast<char>(partition.size()));
    return out.append(partition);
}

inline std::string key(std::string_view partition, std::string_view key) { return prefix(partition).append(key); }

// The first key after everything that begins with `prefix`. Never empty: its first byte is at most kMaxPartitionName.
inline std::string after(std::string prefix) {
    while (prefix.back() == '\xff') prefix.pop_back();
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

// Where the half-open range ends; an empty `until` means the partition's end.
inline std::string end(std::string_view partition, std::string_view until) {
    return until.empty() ? after(prefix(partition)) : key(partition, until);
}

// The partition's name inside a stored key; nullopt when the key is not of this layout.
inline std::optional<std::string_view> partition_of(std::string_view stored) {
    if (stored.empty()) return std::nullopt;
    const std::size_t n = static_cast<unsigned char>(stored[0]);
    if (n > kMaxPartitionName || stored.size() < 1 + n) return std::nullopt;
    return stored.substr(1, n);
}

}  // namespace nimes::gateway::store::layout
