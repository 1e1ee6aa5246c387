// Which handler answers which method and path: a table that is filled at start-up and then only read.
//
//   router.add({Method::get, "/v1/people", find_people});
//   router.add({Method::post, "/v1/enrol", enrol, Access::open, 8 * 1024});
//   router.add({Method::get, "/v1/devices/{id}/entry", entry});            // request.param("id")
//   router.add_stream({Method::patch, "/v1/media/{id}", patch_media});
//
// A {name} stands for one whole path segment that is not empty. Where two patterns match, the one with a literal
// segment where they first differ wins. GET answers HEAD too unless HEAD has a row of its own; OPTIONS is answered with
// Allow unless it has one; another method of a known path is 405 with Allow, an unknown path 404. What a protocol wants
// on every answer below a path, whoever gives it, is stamped. Threads: add() and stamp() before the server starts, the
// rest from any thread afterwards. The router must outlive the server. Errors: add() throws std::logic_error for a
// pattern that is not well-formed or there already: a fault of the program.
#pragma once

#include <chrono>
#include <variant>

#include "http/request.hpp"

namespace nimes::gateway::http {

enum class Access : std::uint8_t {
    token,  // a valid bearer token, or 401; Request::caller is set
    open,   // anyone; a token is not looked at
};

inline constexpr std::size_t kBodyLimit = 64 * 1024;

using Handler = std::function<Response(Request&)>;
// An answer, where the body goes, or what to wait for first.
struct Later;
using Verdict = std::variant<Response, std::unique_ptr<BodySink>, std::unique_ptr<Later>>;
// Judges a request by its head alone.
using StreamHandler = std::function<Verdict(Request&)>;
// A request that waits for another one to end, and no thread with it.
struct Later {
    // Called once, must not block. `go` may be called from any thread of this server, at once too, or never.
    std::function<void(std::function<void()> go)> begin;
    std::chrono::milliseconds limit;  // after which it is not waited for any more
    std::function<Verdict()> next;    // then, on a worker; the Request is still there
};

struct Route {
    Method method;
    std::string pattern;
    Handler handler;
    Access access = Access::token;
    std::size_t body_limit = kBodyLimit;  // a longer body is 413 before it is read
};
struct StreamRoute {
    Method method;
    std::string pattern;
    StreamHandler handler;
    Access access = Access::token;
};

class Router {
  public:
    Router();
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    Router& add(Route route);
    Router& add_stream(StreamRoute route);
    // Every answer about `path` and what lies below it carries this field, refusals of the server's own included.
    Router& stamp(std::string path, std::string field, std::string value);

    // What answers a request. Exactly one of handler and stream is set, and neither when `refused` is.
    struct Match {
        const Handler* handler = nullptr;
        const StreamHandler* stream = nullptr;
        Access access = Access::open;
        std::size_t body_limit = 0;
        std::string_view pattern;  // for metrics; "" when no path matched
        Request::Pairs params;
        std::optional<Response> refused;  // 404, 405 with Allow, 400 for bad escapes, 204 with Allow for OPTIONS
    };
    [[nodiscard]] Match find(Method method, std::string_view path) const;
    // The same for a method that has no name here: 405 or 404.
    [[nodiscard]] Match find_unknown(std::string_view path) const;
    // Sets what was stamped.
    void finish(std::string_view path, Response& response) const;

    // "GET /v1/people", … in the order added: the API's documents are checked against it.
    [[nodiscard]] std::vector<std::string> rows() const;

  private:
    struct Row;
    struct Stamp {
        std::string path, field, value;
    };
    void insert(Row row);
    [[nodiscard]] std::vector<const Row*> closest(std::string_view path) const;
    static Match refuse(const std::vector<const Row*>& rows, bool options);

    std::vector<Row> rows_;
    std::vector<Stamp> stamps_;
};

// Percent-decodes; Errc::malformed for a bad escape and for control characters, plain or escaped.
Result<std::string> percent_decode(std::string_view text);
// "a=1&b=%20" as pairs; at most 64 of them.
Result<Request::Pairs> parse_query(std::string_view query);

}  // namespace nimes::gateway::http
