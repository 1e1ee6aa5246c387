// One TCP or TLS connection that speaks MQTT frames, without blocking.
//
// send() keeps bytes until the end of the loop's pass; what the kernel does not take waits here, unbounded, so the
// caller's window is the bound. Threads: the loop's. Ownership: loop, TLS context and events outlive it; on_closed() is
// the last call, and the connection may be destroyed from then on, not inside a call.
// Errors: on_closed() says what ended it, in words, without user data.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <memory>

#include "loop.hpp"
#include "mqtt.hpp"

namespace nimes::load {

struct Endpoint {
    std::string host;  // an address, dotted
    std::uint16_t port = 0;
    std::string source;  // to connect from; empty: the kernel chooses
};

struct SslDelete {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslDelete>;
// Verifies the server against this CA file. Errc::bad_config.
Result<TlsContext> make_tls(const std::string& ca_file);

struct Traffic {
    std::uint64_t bytes_in = 0, bytes_out = 0;  // inside TLS
};

class Connection final : public Watcher {
  public:
    class Events {
      public:
        virtual ~Events() = default;
        virtual void on_open() = 0;  // TCP and TLS stand
        virtual void on_frame(const mqtt::Frame& frame) = 0;
        virtual void on_closed(const std::string& why) = 0;
    };

    // `tls` is nullptr for plain TCP.
    Connection(Loop& loop, SSL_CTX* tls, Events& events, Traffic& traffic);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Result<void> open(const Endpoint& to);
    // Where packets are appended to; call flush_later() afterwards.
    Bytes& out() { return out_; }
    void flush_later();
    // Ends it now with a reset, as a lost network would not even do; says nothing to events.
    void drop();
    [[nodiscard]] bool is_open() const { return open_; }
    [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }

  private:
    void ready(std::uint32_t events) override;
    void end_of_pass() override;
    void advance();
    void read();
    void flush();
    void frames();
    void end(const std::string& why);
    void want(std::uint32_t events);

    Loop& loop_;
    SSL_CTX* const tls_;
    Events& events_;
    Traffic& traffic_;
    std::unique_ptr<SSL, SslDelete> ssl_;
    int fd_ = -1;
    bool open_ = false;
    bool flush_queued_ = false;
    std::uint32_t wanted_ = 0;
    Bytes in_, out_;
    std::size_t sent_ = 0;
};

}  // namespace nimes::load
