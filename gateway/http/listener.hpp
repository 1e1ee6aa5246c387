// One bound address and the connections that come to it. Private to this room.
//
// Threads: accept loops on their own strand; swap_certificate() from any thread. Errors of opening: as server.hpp.
#pragma once

#include <boost/asio/io_context.hpp>

#include "http/connection.hpp"

namespace nimes::gateway::http {

class Listener {
  public:
    virtual ~Listener() = default;
    // Takes connections until close().
    virtual void start() = 0;
    // From any thread; returns at once.
    virtual void close() = 0;
    virtual Result<void> reload_certificate() { return {}; }
    [[nodiscard]] virtual std::uint16_t port() const { return 0; }
};

Result<std::unique_ptr<Listener>> open_listener(asio::io_context& io, const Listen& where, const Router& router,
                                                const Context& context);

// A server's TLS settings with its certificate and key: TLS 1.2 at least.
Result<std::shared_ptr<asio::ssl::context>> tls_context(const std::filesystem::path& certificate,
                                                        const std::filesystem::path& key);

}  // namespace nimes::gateway::http
