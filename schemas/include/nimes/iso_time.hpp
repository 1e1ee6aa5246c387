// Times for logs, in UTC. Pure; thread safe.
#pragma once

#include <string>

#include "nimes/time.hpp"

namespace nimes {

// ISO 8601 with milliseconds: 2026-11-23T14:05:06.789Z; "" for a time that no calendar has.
std::string iso_time(Millis at);

}  // namespace nimes
