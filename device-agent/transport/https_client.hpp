// HTTPS to the gateway, and to nobody else: TLS 1.2 or newer, the host verified against the CA of the provisioning file
// alone (the system's trust store is not consulted), no redirects, no proxy.
//
// exchange() answers whatever status came; only the transport's own failures are errors: Errc::offline (no connection,
// wrong certificate, cut), timed_out (nothing moved for the idle time; never a total limit, a slow link may take
// hours), too_large (an answer beyond the bound), malformed, and what the token source said. error_of() turns a refusal
// into the Error that its problem+json names. Detail never holds what a server wrote.
// Threads: one thread at a time per client; make one for each thread. Cancel from anywhere by the request's stop token.
// Ownership: views and functions of a request must live until exchange() returns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

namespace nimes::agent::transport {

// A fresh connection token for an audience such as "https://host:port". Called on the thread that connects.
using TokenSource = std::function<Result<std::string>(std::string_view audience)>;

struct HttpsOptions {
    std::string base_url;  // "https://host:port"
    std::string ca_pem;
    unsigned connect_timeout_s = 10;
    unsigned idle_timeout_s = 30;  // less than a byte a second for so long ends an exchange
    unsigned total_timeout_s = 0;  // of a whole exchange; 0: none
    std::size_t max_body = 4 << 20;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpsRequest {
    // Fills `into` from its start and says how much; 0 only at the end.
    using Reader = std::function<Result<std::size_t>(std::span<std::uint8_t> into)>;
    using Writer = std::function<Result<void>(ByteView bytes)>;

    std::string method = "GET";
    std::string path;  // "/v1/…", with its query
    Headers headers;
    ByteView body;
    // Instead of body: exactly reader_length bytes are asked for.
    Reader reader;
    std::uint64_t reader_length = 0;
    // Takes the body of a 2xx answer as it comes, instead of HttpsAnswer::body. `begin` sees the head first and may
    // refuse it.
    std::function<Result<void>(int status, const Headers& headers)> begin;
    Writer writer;
    std::uint64_t writer_limit = 0;  // more bytes than this: Errc::too_large
    bool with_token = true;
    std::function<void(std::uint64_t sent, std::uint64_t received)> progress;
    std::stop_token stop;
};

struct HttpsAnswer {
    int status = 0;
    Headers headers;  // names in lower case
    Bytes body;

    [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
    // The first value of that (lower-case) name; "" when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    // A header that is a plain decimal number; nullopt for anything else.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;
    // Retry-After in seconds, 0 when absent; at most an hour.
    [[nodiscard]] unsigned retry_after_s() const;
};

class HttpsClient {
  public:
    static constexpr int kUnsent = 16 * 1024;  // bytes not sent yet that its sockets take (TCP_NOTSENT_LOWAT)

    HttpsClient(HttpsOptions options, TokenSource token);
    ~HttpsClient();
    HttpsClient(const HttpsClient&) = delete;
    HttpsClient& operator=(const HttpsClient&) = delete;

    // A refused token (401) is tried once more with a fresh one when the body can be sent again.
    Result<HttpsAnswer> exchange(const HttpsRequest& request);

    // Shorthands that answer refusals as errors.
    Result<HttpsAnswer> get(std::string path, bool with_token = true);
    Result<HttpsAnswer> post(std::string path, std::string content_type, ByteView body, bool with_token = true);
    Result<HttpsAnswer> post_protobuf(std::string path, ByteView body, bool with_token = true) {
        return post(std::move(path), "application/x-protobuf", body, with_token);
    }

    [[nodiscard]] const std::string& base_url() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// What a refusal means: the row that its problem+json names, or the one that fits the status best.
Error error_of(const HttpsAnswer& answer);

}  // namespace nimes::agent::transport
