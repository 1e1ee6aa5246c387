// Times for people, in the time zone of where they are. Pure but for the zone; thread safe.
#pragma once

#include <ctime>
#include <string>

#include "nimes/time.hpp"

namespace nimes::agent::cli {

// `form` as strftime's, its result shorter than 32 bytes; "" for a time that no calendar has.
inline std::string local_time(Millis at, const char* form) {
    const auto seconds = static_cast<std::time_t>(at / kSecond);
    std::tm parts{};
    char out[32] = "";
    if (localtime_r(&seconds, &parts) != nullptr) (void)std::strftime(out, sizeof out, form, &parts);
    return out;
}

}  // namespace nimes::agent::cli
