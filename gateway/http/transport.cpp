#include "http/transport.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <fstream>

namespace nimes::gateway::http {
namespace {

namespace beast = boost::beast;
using LocalStream =
    beast::basic_stream<asio::local::stream_protocol, asio::any_io_executor, beast::unlimited_rate_policy>;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

// What is read away after an early answer; who sends more hears a reset.
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;
// When the kernel gives up on bytes that a vanished phone does not acknowledge.
constexpr unsigned kUserTimeoutMs = 60'000;
constexpr std::uint32_t kNoLogin = 0xffff'ffff;

template <class Stream>
class StreamTransport final : public Transport {
  public:
    static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

    template <class... Arguments>
    explicit StreamTransport(std::string peer, Arguments&&... arguments)
        : peer_(std::move(peer)), stream_(std::forward<Arguments>(arguments)...) {}

    asio::awaitable<void> handshake(milliseconds limit, error_code& error) override {
        if constexpr (kTls) {
            lowest().expires_after(limit);
            co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                             asio::redirect_error(asio::use_awaitable, error));
        } else {
            (void)limit;
            error = {};
            co_return;
        }
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into, milliseconds limit, error_code& error) override {
        lowest().expires_after(limit);
        const auto n = co_await stream_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
        if (error == beast::error::timeout) error = asio::error::timed_out;
        co_return n;
    }

    asio::awaitable<void> write(asio::const_buffer bytes, milliseconds limit, error_code& error) override {
        error = {};
        while (bytes.size() > 0 && !error) {
            lowest().expires_after(limit);
            bytes += co_await stream_.async_write_some(bytes, asio::redirect_error(asio::use_awaitable, error));
        }
        if (error == beast::error::timeout) error = asio::error::timed_out;
    }

    asio::awaitable<void> finish(bool linger, milliseconds limit) override {
        error_code error;
        lowest().expires_after(limit);
        if constexpr (kTls) {
            // after an early answer the peer is still sending: it would not answer our close_notify in time
            if (!linger) co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
        }
        error = {};
        lowest().socket().shutdown(asio::socket_base::shutdown_send, error);
        std::array<char, 16 * 1024> scrap;
        for (std::size_t read = 0; linger && !error && read < kLingerBytes;)
            read += co_await lowest().async_read_some(asio::buffer(scrap),
                                                      asio::redirect_error(asio::use_awaitable, error));
        close();
    }

    void close() override { lowest().close(); }
    asio::any_io_executor executor() override { return stream_.get_executor(); }
    std::string peer() const override { return peer_; }

  private:
    auto& lowest() { return beast::get_lowest_layer(stream_); }

    std::string peer_;
    Stream stream_;
};

std::string prepare(asio::ip::tcp::socket& socket) {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
    socket.set_option(UserTimeout(kUserTimeoutMs), ignored);
    const auto remote = socket.remote_endpoint(ignored);
    return remote.address().to_string();
}

// The login's id stays the same through su and sudo; it is absent where nobody logged in, as in a service.
std::string who_is_at(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "uid unknown";
    auto out = "uid " + std::to_string(peer.uid);
    std::ifstream file("/proc/" + std::to_string(peer.pid) + "/loginuid");
    std::uint32_t login = kNoLogin;
    if (file >> login && login != kNoLogin) out += " login " + std::to_string(login);
    return out;
}

}  // namespace

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket) {
    auto peer = prepare(socket);
    return std::make_unique<StreamTransport<beast::tcp_stream>>(std::move(peer), std::move(socket));
}

std::unique_ptr<Transport> tls_transport(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
    auto peer = prepare(socket);
    return std::make_unique<StreamTransport<TlsStream>>(std::move(peer), std::move(socket), *context);
}

std::unique_ptr<Transport> local_transport(asio::local::stream_protocol::socket socket) {
    auto peer = who_is_at(socket.native_handle());
    return std::make_unique<StreamTransport<LocalStream>>(std::move(peer), std::move(socket));
}

}  // namespace nimes::gateway::http
