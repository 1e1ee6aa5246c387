// What one guess of the passphrase costs: Argon2id13's operations and memory. Stored in clear beside the salt.
#pragma once

#include <cstdint>

namespace nimes::agent::container {

struct PassphraseCost {
    std::uint32_t operations = 3;
    std::uint64_t memory_bytes = 256ULL << 20;

    static constexpr PassphraseCost standard() { return {}; }
    // For weak devices.
    static constexpr PassphraseCost floor() { return {2, 64ULL << 20}; }
    // For tests alone: the least that libsodium takes.
    static constexpr PassphraseCost least() { return {1, 8192}; }

    bool operator==(const PassphraseCost&) const = default;
};

}  // namespace nimes::agent::container
