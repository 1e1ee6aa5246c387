// One request and its answer while they are under way, and the steps that need no network: what runs on workers.
// Private to this room.
//
// Threads: the connection's coroutine and, while it waits, one worker; never both.
#pragma once

#include "http/connection.hpp"

namespace nimes::gateway::http {

inline constexpr std::size_t kBodyRead = 64 * 1024;
// What the hooks are told when nobody was left to answer.
inline constexpr int kClientGone = 499;

struct Connection::Exchange {
    explicit Exchange(std::size_t head_limit);

    wire::Parser parser;
    wire::Head head;
    Router::Match match;
    std::unique_ptr<BodySink> sink;
    std::unique_ptr<Later> later;
    std::optional<Response> response;
    error_code error;
    std::vector<std::uint8_t> chunk;
    // Of a body with Content-Length: what has not come yet. Its bytes need no parser.
    std::optional<std::uint64_t> left;

    [[nodiscard]] bool body_done() const { return left ? *left == 0 : parser.is_done(); }
};

}  // namespace nimes::gateway::http
