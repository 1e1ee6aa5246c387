// A TLS server that does what a test tells it: the other end of HTTPS and MQTT, which may cut, stall and lie.
//
// Threads: the handler runs in one thread for each connection; a failed requirement belongs in the test, not in it.
// The destructor cuts what is open and waits for the handlers. Errors: std::runtime_error while it is made.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "nimes/bytes.hpp"

namespace nimes::test {

// A folder that is gone when the object is.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

Bytes read_file(const std::filesystem::path& file);
std::string text_of(const std::filesystem::path& file);

// A CA and a server certificate for localhost and 127.0.0.1; made once for each name.
struct Authority {
    std::filesystem::path ca, certificate, key;
};
const Authority& authority(const std::string& name = "ours");

// Asks until it is true; false after half a minute, far beyond anything that works.
bool soon(const std::function<bool()>& condition);

class Stream {
  public:
    explicit Stream(SSL* ssl) : ssl_(ssl) {}
    // 0 at the end or after a cut.
    std::size_t some(std::span<std::uint8_t> into);
    // False when the other end has gone.
    bool exactly(std::span<std::uint8_t> into);
    bool send(ByteView bytes);
    bool send(std::string_view text) { return send(as_bytes(text)); }
    // Ends the connection as a broken link does: no close_notify.
    void cut();

  private:
    SSL* ssl_;
};

class TlsServer {
  public:
    using Handler = std::function<void(Stream& stream, int number)>;  // number: the first connection is 0

    // last_byte: of the address 127.0.0.x. The certificates are for .1 only.
    explicit TlsServer(Handler handler, const Authority& as = authority(), std::uint8_t last_byte = 1);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string https() const { return "https://localhost:" + std::to_string(port_); }
    [[nodiscard]] std::string mqtts() const { return "mqtts://localhost:" + std::to_string(port_); }
    [[nodiscard]] std::string at(const std::string& scheme, const std::string& host) const {
        return scheme + "://" + host + ":" + std::to_string(port_);
    }
    // Connections that came as far as TLS.
    [[nodiscard]] int connections() const { return connections_; }

  private:
    void accept_all();
    void serve(int fd);

    Handler handler_;
    std::shared_ptr<SSL_CTX> context_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> ending_ = false;
    std::atomic<int> connections_ = 0;
    std::mutex mutex_;
    std::list<int> open_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace nimes::test
