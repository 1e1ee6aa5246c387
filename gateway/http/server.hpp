// The HTTP/1.1 server: TLS, plain and Unix-domain listeners, each with a router of its own, in one process.
//
// Connections are coroutines on a few I/O threads; handlers run on worker threads. A body that never comes holds a
// connection and a buffer, no thread. Time-outs count from the last byte that moved, never for a whole body: slow is
// allowed, silent is not. (A request's head, at most 16 KiB, does have a time of its own, or one byte a minute would
// hold a connection for days.) After an early answer the rest of the body is read away for a moment before the
// connection closes; else the client's kernel throws our answer away.
// Threads: all functions from any thread, except that listen() comes before start(). Errors: Errc::unavailable for an
// address that cannot be bound, Errc::bad_config for certificates. Authoriser and routers must outlive the server.
#pragma once

#include <chrono>
#include <filesystem>

#include "http/bearer.hpp"
#include "http/router.hpp"

namespace nimes::gateway::http {

struct ServerOptions {
    std::size_t io_threads = 2;
    std::size_t workers = 16;
    std::size_t max_connections = 8'192;           // of all listeners; the next one is closed at once
    std::size_t head_limit = 16 * 1024;            // 431
    std::chrono::milliseconds head_time{30'000};   // from a request's first byte to the end of its head; TLS handshake
    std::chrono::milliseconds idle{60'000};        // between two bytes of a body, either way
    std::chrono::milliseconds keep_alive{75'000};  // between two requests
    std::chrono::milliseconds linger{2'000};       // reading away what nobody wants
    std::chrono::milliseconds stop_grace{10'000};  // for running requests when stop() is called
};

struct ServerHooks {
    // After each answer. `route` is the pattern, "" when none matched: few values, fit for a label.
    std::function<void(std::string_view route, std::string_view method, int status)> answered;
    // Something an operator should know: an event's name and a word on it, without user data.
    std::function<void(std::string_view event, std::string_view detail)> note;
};

struct Listen {
    enum class Kind : std::uint8_t { tls, plain, local } kind = Kind::plain;
    std::string address = "127.0.0.1";  // tls, plain: an IP address
    std::uint16_t port = 0;             // 0: the kernel's choice
    std::filesystem::path certificate;  // tls: PEM, the server's certificate first
    std::filesystem::path key;          // tls: PEM
    std::filesystem::path path;         // local: the socket's file, mode 0600; a dead one of that name is replaced
    bool for_group = false;             // local: mode 0660
};

class Server {
  public:
    // Without an authoriser, routes that want a token answer 401.
    explicit Server(ServerOptions options = {}, Authoriser* authoriser = nullptr, ServerHooks hooks = {});
    ~Server();  // stops
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Binds; connections are answered from start() on. Answers the port (0 for a Unix socket).
    Result<std::uint16_t> listen(const Listen& where, const Router& router);
    Result<void> start();
    // Reads certificates and keys again; new connections use them. On an error the old ones stay.
    Result<void> reload_certificates();
    // Ends every connection on which that device's token was accepted, also in the middle of an answer. A request that
    // is being authorised meanwhile is authorised again. Answers how many.
    std::size_t cut(const DeviceId& device);
    [[nodiscard]] std::size_t connections() const;
    // No new connections, idle ones close, running requests get stop_grace, then all is closed. Returns when it is
    // done.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::http
