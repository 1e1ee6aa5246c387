#include "transport/reconnect_policy.hpp"

#include <algorithm>
#include <utility>

namespace nimes::agent::transport {

Millis uniform(Millis bound, RandomSource& random) {
    if (bound == UINT64_MAX) bound -= 1;
    const std::uint64_t values = bound + 1;
    const std::uint64_t fair = UINT64_MAX - UINT64_MAX % values;  // above it some values would come more often
    for (;;) {
        ByteArray<8> bytes{};
        random.fill(bytes);
        if (const auto drawn = Reader(bytes).u64(); drawn < fair) return drawn % values;
    }
}

void ReconnectPolicy::spread(Millis spread) { spread_ = std::min(spread, kHour); }

Millis ReconnectPolicy::wait(bool settled, RandomSource& random) {
    failures_ = settled ? 1 : std::min(failures_ + 1, 1000U);
    const auto doublings = std::min(failures_ - 1, 40U);
    const auto window = std::min(limits_.most, limits_.first << doublings);
    const auto spread = std::exchange(spread_, 0);
    return std::max(uniform(window, random), uniform(spread, random));
}

}  // namespace nimes::agent::transport
