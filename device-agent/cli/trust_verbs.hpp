// What the person sees when two verify each other, and of levels wherever devices show (VERBS.md). Threads: the
// program's one.
#pragma once

#include <ostream>

#include "cli/service.hpp"

namespace nimes::agent::cli {

// The safety number, this device's code to be scanned, and what is known of the other's devices.
void print_verification(std::ostream& out, const Json& verification);
void print_audit(std::ostream& out, const Json& audit);
void print_device(std::ostream& out, const Json& device);
// "  new device: not verified" and the like, for a line about a person; "" where there is nothing to say.
std::string trust_text(const Json& person);

}  // namespace nimes::agent::cli
