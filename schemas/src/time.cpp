#include "nimes/time.hpp"

#include <sodium.h>
#include <time.h>

#include <chrono>

namespace nimes {

Millis SystemClock::now() const {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<Millis>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

Millis SystemClock::boot() const {
    timespec ts{};
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return static_cast<Millis>(ts.tv_sec) * kSecond + static_cast<Millis>(ts.tv_nsec) / 1'000'000;
}

void SystemRandom::fill(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }

}  // namespace nimes
