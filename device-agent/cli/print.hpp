// What people see of the verbs' lines (VERBS.md); with --json the lines themselves.
#pragma once

#include "cli/service.hpp"

namespace nimes::agent::cli {

// A line before the last.
void print_line(const std::string& verb, const Json& line);
void print_result(const Request& request, const Json& result);
// "nimes-agent: error: …" and "nimes-agent: hint: …" on standard error; answers the exit status. The
// hint is the table's, unless there is a better one.
int print_error(const Error& error, std::string_view hint = {});

}  // namespace nimes::agent::cli
