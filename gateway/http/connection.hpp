// One accepted connection: reads a request, finds and runs its handler, writes the answer, again and again.
// Private to this room.
//
// Threads: the coroutine run() lives on the transport's strand; handlers run on the worker pool while it waits. end()
// and end_when_idle() may be called from any thread. Ownership: run() keeps the connection alive while it runs.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "http/server.hpp"
#include "http/transport.hpp"
#include "http/wire.hpp"

namespace nimes::gateway::http {

class Connections;

// What all connections of a server share.
struct Context {
    const ServerOptions& options;
    const ServerHooks& hooks;
    Authoriser* authoriser;
    asio::thread_pool& workers;
    Connections& connections;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(const Context& context, const Router& router, std::unique_ptr<Transport> transport);

    asio::awaitable<void> run();
    void end();
    // Ends now between two requests, otherwise after the one that runs.
    void end_when_idle();

  private:
    // What became of one exchange.
    enum class After : std::uint8_t { next, close, linger, dead };
    struct Exchange;

    // connection.cpp: what waits for the network
    asio::awaitable<bool> wait_for_request();
    asio::awaitable<void> read_more(std::size_t most, milliseconds limit, error_code& error);
    asio::awaitable<void> read_head(Exchange& now);
    asio::awaitable<After> exchange();
    asio::awaitable<std::size_t> next_bytes(Exchange& now, std::span<std::uint8_t> into);
    asio::awaitable<std::size_t> next_plain(Exchange& now, std::span<std::uint8_t> into);
    asio::awaitable<std::size_t> next_chunked(Exchange& now, std::span<std::uint8_t> into);
    asio::awaitable<void> wait(Exchange& now);
    asio::awaitable<void> gather(Exchange& now);
    asio::awaitable<void> pour(Exchange& now);
    asio::awaitable<void> on_worker(std::function<void()>& work);
    asio::awaitable<After> answer(Exchange& now);
    asio::awaitable<void> send_source(Exchange& now, error_code& error);

    // exchange.cpp: what does not
    void open(Exchange& now);
    void judge(Exchange& now);
    static void take(Exchange& now, Verdict verdict);
    void go_on(Exchange& now, const Later& later);
    void handle(Exchange& now);
    void feed(Exchange& now);
    static std::size_t draw(Exchange& now, std::span<std::uint8_t> into);
    void guarded(Exchange& now, const std::function<void()>& step);
    void tell(const Exchange& now, int status) const;
    Result<Caller> authorise(const Headers& headers);

    const Context& context_;
    const Router& router_;
    std::unique_ptr<Transport> transport_;
    std::string in_;                               // bytes that came and are not parsed yet
    std::shared_ptr<asio::steady_timer> waiting_;  // of wait(), while it lasts
    bool idle_ = true;
    bool ending_ = false;
};

}  // namespace nimes::gateway::http
