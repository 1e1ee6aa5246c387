// What the person sees and is asked while a history is handed on (VERBS.md).
//
// Nothing leaves the old device before the person said that both screens show the same code. Threads: the program's
// one. Errors: Errc::usage (no code and nobody to ask), code_wrong (the person did not say yes), what the service says.
#pragma once

#include "cli/verbs.hpp"

namespace nimes::agent::cli {

using Ask = std::function<Result<Json>(Request)>;
Result<Json> offer_history(const Ask& ask, Request request, const CommandLine& line, const std::stop_token& stop);

void print_history_line(const Json& line);
void print_history_result(const Request& request, const Json& result);

}  // namespace nimes::agent::cli
