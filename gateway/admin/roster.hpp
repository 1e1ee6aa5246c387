// The roster as a CSV file (RFC 4180): who may enrol. One wrong line refuses the whole file, and all wrong lines are
// named, so that one import mends them.
//
//   address,name,rank,unit
//   a.meyer@police.example,"Meyer, Anna",PHK,Celle
//
// UTF-8, with or without a byte order mark; lines end with LF or CRLF; separator comma or semicolon, as the header
// says. Columns by their header names, in any order; `address`, `name` and `unit` are needed. Pure. Errors:
// Errc::bad_roster_line with numbers of lines and what is wrong, never with what a line says.
#pragma once

#include <string>
#include <vector>

#include "admin/ports.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kMaxRosterBytes = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxField = 200;  // bytes

struct RosterRules {
    std::vector<std::string> domains;  // lower case; equality decides
    std::vector<std::string> units;
};

Result<std::vector<PersonFields>> parse_roster(std::string_view csv, const RosterRules& rules);

// The fields of each record with the line it begins on; Errc::bad_roster_line for broken quotes.
struct CsvRecord {
    std::size_t line = 0;
    std::vector<std::string> fields;
};
Result<std::vector<CsvRecord>> parse_csv(std::string_view text);

}  // namespace nimes::gateway::admin
