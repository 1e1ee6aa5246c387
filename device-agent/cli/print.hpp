// What people see of the verbs' lines (VERBS.md); with --json the lines themselves.
#pragma once

#include "cli/service.hpp"

namespace nimes::agent::cli {

// A line before the last. Control characters of others' texts never reach the terminal.
void print_line(const std::string& verb, const Json& line);
void print_result(const std::string& verb, const Json& result);
// "nimes-agent: error: …" and "nimes-agent: hint: …" on standard error; answers the exit status.
int print_error(const Error& error);

}  // namespace nimes::agent::cli
