// Time and randomness are handed in, never taken: the same logic runs in production, tests, fuzzers and simulators.
//
// Times are milliseconds since 1970 UTC. Implementations must be callable from any thread.
// Ownership: users keep a reference; the caller keeps the object alive as long as its users.
#pragma once

#include <cstdint>

#include "nimes/bytes.hpp"

namespace nimes {

using Millis = std::uint64_t;
inline constexpr Millis kSecond = 1'000;
inline constexpr Millis kMinute = 60 * kSecond;
inline constexpr Millis kHour = 60 * kMinute;
inline constexpr Millis kDay = 24 * kHour;

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Millis now() const = 0;   // wall clock
    [[nodiscard]] virtual Millis boot() const = 0;  // since boot, counts sleep, never steps back
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Millis now() const override;
    [[nodiscard]] Millis boot() const override;
};

class RandomSource {
  public:
    virtual ~RandomSource() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    template <class Id>
    Id id() {
        Id out;
        fill(out.bytes);
        return out;
    }
};

class SystemRandom final : public RandomSource {
  public:
    void fill(std::span<std::uint8_t> out) override;
};

}  // namespace nimes
