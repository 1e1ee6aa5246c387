// The roster: who may enrol, row by row from wherever it comes (roster_source.hpp), held against the organisation's
// rules. One wrong row refuses all of it, and all wrong rows are named, so that one import mends them.
//
// Pure but for the source. Errors: Errc::bad_roster_line with the places of rows and what is wrong, never with what a
// row says; and what the source answers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "admin/ports.hpp"
#include "admin/roster_source.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kMaxField = 200;  // bytes

struct RosterRules {
    std::vector<std::string> domains;  // lower case; equality decides
    std::vector<std::string> units;
    std::set<std::string> elsewhere{};  // addresses of people whom whoever imports has no right to move
};

Result<std::vector<PersonFields>> read_roster(RosterSource& source, const RosterRules& rules);

}  // namespace nimes::gateway::admin
