// One HTTP exchange as a room sees it: a Request comes in, a Response goes out, both plain values. No Beast, no
// sockets.
//
// A handler is a synchronous function that runs on a worker thread, so it may block on the store, on crypto or on a
// file; it must not wait for another request (router.hpp has Later for that). A large upload is not a Request's body:
// its route hands out a BodySink that is fed as bytes come, so a slow network costs a buffer and no thread
// (router.hpp). A large download is a BodySource that is asked for the next bytes when the last ones have left: memory
// stays constant. Threads: one exchange is touched by one thread at a time. Ownership: values; nothing refers to the
// connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes::gateway::http {

// The most that a source is asked for at once.
inline constexpr std::size_t kStreamBuffer = 256 * 1024;

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view name(Method method);  // "GET", … "DELETE", …
std::optional<Method> method_of(std::string_view name);

// Header fields in order; names compare without case. Values are trimmed and hold no control characters.
class Headers {
  public:
    // The first field of that name; nullptr when there is none.
    [[nodiscard]] const std::string* find(std::string_view field) const;
    // The first value, or "".
    [[nodiscard]] std::string_view get(std::string_view field) const;
    [[nodiscard]] std::size_t count(std::string_view field) const;
    Headers& set(std::string field, std::string value);  // replaces all of that name
    Headers& add(std::string field, std::string value);
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

// Who a token speaks for.
struct Caller {
    UserId user;
    DeviceId device;
};

struct Request {
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    Method method = Method::get;
    std::string path;  // as it came, without the query
    Pairs params;      // the pattern's {names}, percent-decoded
    Pairs query;       // percent-decoded; '+' is a plus sign
    Headers headers;
    std::string peer;                             // Transport::peer(); an address is never to be logged with a person
    std::optional<Caller> caller;                 // always there on a route that wants a token
    Bytes body;                                   // complete, at most the route's limit; empty on a streaming route
    std::optional<std::uint64_t> content_length;  // as declared; nullopt when chunked
    // Ends this connection soon, from any thread, at any time, also when it is gone already. For takeovers.
    std::function<void()> hang_up;

    // The value of {name}; "" when the pattern has none.
    [[nodiscard]] std::string_view param(std::string_view name) const;
    // The first query value of that name; nullptr when absent.
    [[nodiscard]] const std::string* query_value(std::string_view name) const;
};

// Bytes of a response, pulled.
class BodySource {
  public:
    virtual ~BodySource() = default;
    // Fills `into` from its start and says how much; 0 only at the end. An error cuts the connection.
    virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

struct Response {
    int status = 200;
    Headers headers;  // Content-Length, Date and Connection are the server's
    Bytes body;
    // Instead of body; exactly source_length bytes.
    std::unique_ptr<BodySource> source;
    std::uint64_t source_length = 0;

    static Response empty(int status = 204);
    static Response bytes(int status, std::string content_type, Bytes body);
    static Response text(int status, std::string content_type, std::string_view body);
    static Response stream(int status, std::string content_type, std::unique_ptr<BodySource> source,
                           std::uint64_t length);
};

// Takes the body of an upload: the network's bytes are read straight into its buffer. Calls come one after the other;
// room() and took() on a thread that must not block, the others each on some worker thread.
class BodySink {
  public:
    virtual ~BodySink() = default;
    // Where the next bytes may go, at least one. Stays valid until took().
    virtual std::span<std::uint8_t> room() = 0;
    // The first n bytes of room() are there. True: work() is wanted before the next ones.
    virtual bool took(std::size_t n) = 0;
    // A Response ends the upload early: it is sent, then the connection closes.
    virtual std::optional<Response> work() = 0;
    // The body has ended as it should. Called whatever took() said last.
    virtual Response finish() = 0;
    // The connection went before the body's end; nobody hears an answer. Not called after finish or an early Response.
    virtual void cut() = 0;
};

}  // namespace nimes::gateway::http
