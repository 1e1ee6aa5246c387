// Verbs about the connection itself, and how they are shown.
#pragma once

#include <ostream>

#include "cli/service.hpp"

namespace nimes::agent::cli {

void print_finding(std::ostream& out, const Json& finding);
void print_health(std::ostream& out, const Json& result);

// What the doctor says of a home that cannot even be opened: lines for `emit`, and the last one.
Json home_unopened(const std::string& home, const Error& error, const Emit& emit);

}  // namespace nimes::agent::cli
