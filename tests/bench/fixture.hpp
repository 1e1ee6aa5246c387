// Fixed keys and bytes for the benchmarks, so that every run seals and checks the same.
//
// A row of the table is one benchmark named ROW and one named ROW/peer/PEER beside it; collect.py pairs them.
// Threads: each benchmark makes its own. main() is bench_main.cpp; it starts libsodium.
#pragma once

#include <benchmark/benchmark.h>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::bench {

inline Bytes pattern(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 131 + 7);
    return out;
}

template <class IdType>
IdType id(std::uint8_t first) {
    IdType out;
    for (std::size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] = static_cast<std::uint8_t>(first + i);
    return out;
}

inline SigningKeyPair key_pair(std::uint8_t first) {
    ByteArray<32> seed{};
    seed.fill(first);
    return signing_key_from_seed(seed);
}

// A benchmark whose operation fails would measure the failing path: stop it instead.
inline bool require(benchmark::State& state, bool held, const char* what) {
    if (!held) state.SkipWithError(what);
    return held;
}

// xorshift: repeatable, and far cheaper than what it feeds.
class RepeatableRandom final : public RandomSource {
  public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out) {
            state_ ^= state_ << 13;
            state_ ^= state_ >> 7;
            state_ ^= state_ << 17;
            byte = static_cast<std::uint8_t>(state_);
        }
    }

  private:
    std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace nimes::bench
