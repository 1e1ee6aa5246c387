// The lines on HOME/agent.sock (VERBS.md): what a client asks, what the owner answers.
//
// Read with suspicion: any member may be missing or of another type. The passphrase travels as hex, for it need not be
// UTF-8, and is wiped from what it was read from. Threads: functions of values. Errors: Errc::usage (words that are no
// UTF-8), too_large (over kLineLimit), malformed.
#pragma once

#include "cli/service.hpp"

namespace nimes::agent::cli {

inline constexpr std::size_t kLineLimit = 1 << 20;

struct Asked {
    Request request;
    Passphrase passphrase;
};

// Can it be asked of any owner? Tested before anything is done, so that all processes refuse the same.
Result<void> check_request(const Request& request);
Result<std::string> request_line(const Request& request, const Passphrase& passphrase);
Result<Asked> parse_request(std::string line);

std::string emitted_line(const Json& line);
std::string answer_line(const Result<Json>& answer);

struct Answer {
    bool last = false;
    Result<Json> value;  // of a line before the last, that line
};
Answer parse_answer(const std::string& line);

}  // namespace nimes::agent::cli
