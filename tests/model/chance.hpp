// Time and chance of the model: both follow from the seed alone.
#pragma once

#include <sodium.h>

#include <cstring>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::model {

struct ModelClock final : Clock {
    Millis time = 1'780'000'000'000;
    Millis up = kDay;
    [[nodiscard]] Millis now() const override { return time; }
    [[nodiscard]] Millis boot() const override { return up; }
    void advance(Millis by) {
        time += by;
        up += by;
    }
};

class Chance final : public RandomSource {
  public:
    explicit Chance(std::uint64_t seed) { std::memcpy(seed_, &seed, sizeof seed); }
    void fill(std::span<std::uint8_t> out) override {
        std::memcpy(seed_ + 16, &count_, sizeof count_);
        ++count_;
        if (!out.empty()) randombytes_buf_deterministic(out.data(), out.size(), seed_);
    }
    // 0 … n - 1
    std::size_t below(std::size_t n) {
        std::uint64_t x = 0;
        fill({reinterpret_cast<std::uint8_t*>(&x), sizeof x});
        return n == 0 ? 0 : static_cast<std::size_t>(x % n);
    }
    bool one_in(std::size_t n) { return below(n) == 0; }

  private:
    std::uint8_t seed_[randombytes_SEEDBYTES]{};
    std::uint64_t count_ = 0;
};

}  // namespace nimes::model
