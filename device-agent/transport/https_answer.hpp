// An answer as it comes in, line by line and piece by piece: everything the gateway sends is bounded here before it
// takes memory. Private to https_client.cpp. No I/O. Errors: Errc::too_large, malformed, what the request's own
// functions say.
#pragma once

#include "transport/https_client.hpp"

namespace nimes::agent::transport {

class AnswerBuilder {
  public:
    static constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
    static constexpr std::size_t kMaxHeaders = 100;

    AnswerBuilder(const HttpsRequest& request, std::size_t max_body) : request_(request), max_body_(max_body) {}

    // One line of the head with its line end. A status line begins anew: an interim answer came before.
    Result<void> header_line(std::string_view line);
    Result<void> body(ByteView bytes);
    Result<HttpsAnswer> finish() &&;

  private:
    [[nodiscard]] bool to_writer() const { return answer_.ok() && request_.writer; }
    Result<void> begin_writing();

    const HttpsRequest& request_;
    std::size_t max_body_;
    HttpsAnswer answer_;
    std::size_t header_bytes_ = 0;
    bool begun_ = false;
    std::uint64_t written_ = 0;
};

}  // namespace nimes::agent::transport
