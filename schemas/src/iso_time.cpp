#include "nimes/iso_time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace nimes {

std::string iso_time(Millis at) {
    const auto seconds = static_cast<std::time_t>(at / kSecond);
    std::tm parts{};
    if (gmtime_r(&seconds, &parts) == nullptr) return {};
    std::array<char, 64> out{};
    const auto n = std::strftime(out.data(), out.size(), "%FT%T", &parts);
    (void)std::snprintf(out.data() + n, out.size() - n, ".%03uZ", static_cast<unsigned>(at % kSecond));
    return out.data();
}

}  // namespace nimes
