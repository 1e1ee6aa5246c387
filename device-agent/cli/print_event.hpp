// Messages for people, one a line. Text from others passes printable() first: it cannot move the cursor or lie about
// where it ends.
#pragma once

#include <ostream>

#include "cli/service.hpp"

namespace nimes::agent::cli {

void print_event(std::ostream& out, const Json& event);
// The same, and below it who got it, read it, voted, reacted.
void print_details(std::ostream& out, const Json& event);
// What came of a recall: {devices, delivered, opened, erased, unreachable}.
void print_recall(std::ostream& out, const Json& recall);
void print_group(std::ostream& out, const Json& group);

}  // namespace nimes::agent::cli
