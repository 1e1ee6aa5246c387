// The bytes under HTTP: one accepted connection over TLS, TCP or a Unix socket, behind one interface, so that the HTTP
// logic is compiled once. Private to this room: it brings in Asio.
//
// Threads: all calls on the transport's executor, a strand. Each call has its own time-out; one that runs out reports
// asio::error::timed_out and leaves a dead connection. close() makes what is pending end with an error.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace nimes::gateway::http {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

class Transport {
  public:
    virtual ~Transport() = default;

    virtual asio::awaitable<void> handshake(milliseconds limit, error_code& error) = 0;
    // At least one byte, or an error; asio::error::eof at the end.
    virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer into, milliseconds limit,
                                                   error_code& error) = 0;
    // All of it; `limit` counts from the last byte that the network took.
    virtual asio::awaitable<void> write(asio::const_buffer bytes, milliseconds limit, error_code& error) = 0;
    // Ends in good order. With `linger`, what still comes is read away first, so that our last answer is not lost.
    virtual asio::awaitable<void> finish(bool linger, milliseconds limit) = 0;
    virtual void close() = 0;

    [[nodiscard]] virtual asio::any_io_executor executor() = 0;
    // An address without port; of a Unix socket who is at the other end: "uid 998", or "uid 998 login 1001" where the
    // machine knows who logged in.
    [[nodiscard]] virtual std::string peer() const = 0;
};

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket);
std::unique_ptr<Transport> tls_transport(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context);
std::unique_ptr<Transport> local_transport(asio::local::stream_protocol::socket socket);

}  // namespace nimes::gateway::http
