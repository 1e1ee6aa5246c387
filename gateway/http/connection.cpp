#include "http/connection.hpp"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/connections.hpp"
#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::http {
namespace {

using asio::experimental::awaitable_operators::operator&&;

constexpr std::size_t kHeadRead = 4 * 1024;
// How many bytes may wait unparsed: a parser that does not get on with these is being fed nonsense.
constexpr std::size_t kMaxUnparsed = 192 * 1024;
// A reader who took so long for one buffer is served by small ones from then on.
constexpr milliseconds kSlow{500};
constexpr std::size_t kSlowChunk = 32 * 1024;
constexpr const char* kBadBody = "the body's chunks";

}  // namespace

Connection::Connection(const Context& context, const Router& router, std::unique_ptr<Transport> transport)
    : context_(context), router_(router), transport_(std::move(transport)) {}

asio::awaitable<void> Connection::run() {
    const auto self = shared_from_this();
    error_code error;
    co_await transport_->handshake(context_.options.head_time, error);
    auto after = error ? After::dead : After::next;
    while (after == After::next) {
        if (!co_await wait_for_request()) after = After::close;
        else after = co_await exchange();
    }
    if (after == After::dead) transport_->close();
    else co_await transport_->finish(after == After::linger, context_.options.linger);
    context_.connections.remove(*this);
}

void Connection::end() {
    asio::post(transport_->executor(), [self = shared_from_this()] {
        self->ending_ = true;
        if (self->waiting_) self->waiting_->expires_at(asio::steady_timer::time_point::min());
        self->transport_->close();
    });
}

void Connection::end_when_idle() {
    asio::post(transport_->executor(), [self = shared_from_this()] {
        self->ending_ = true;
        if (self->idle_) self->transport_->close();
    });
}

// Appends what comes to in_.
asio::awaitable<void> Connection::read_more(std::size_t most, milliseconds limit, error_code& error) {
    const auto before = in_.size();
    if (before + most > kMaxUnparsed) {
        error = boost::beast::http::error::buffer_overflow;
        co_return;
    }
    in_.resize(before + most);
    const auto n = co_await transport_->read_some(asio::buffer(in_.data() + before, most), limit, error);
    in_.resize(before + n);
}

asio::awaitable<bool> Connection::wait_for_request() {
    if (ending_) co_return false;
    if (!in_.empty()) co_return true;
    in_.shrink_to_fit();  // thousands of connections wait here: they hold no buffer
    idle_ = true;
    error_code error;
    co_await read_more(kHeadRead, context_.options.keep_alive, error);
    idle_ = false;
    co_return !error && !ending_;
}

asio::awaitable<void> Connection::read_head(Exchange& now) {
    const auto deadline = std::chrono::steady_clock::now() + context_.options.head_time;
    for (;;) {
        in_.erase(0, now.parser.put(asio::buffer(in_), now.error));
        if (now.error && now.error != boost::beast::http::error::need_more) co_return;
        now.error = {};
        if (now.parser.is_header_done()) co_return;
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            now.error = asio::error::timed_out;
            co_return;
        }
        co_await read_more(kHeadRead, left, now.error);
        if (now.error) co_return;
    }
}

asio::awaitable<Connection::After> Connection::exchange() {
    Exchange now(context_.options.head_limit);
    co_await read_head(now);
    if (now.error && now.error.category() != wire::parser_errors()) co_return After::dead;
    now.head.request.path = wire::path_of(now.parser);
    if (now.error) now.response = wire::refusal(now.error);
    else open(now);

    if (!now.response) {
        std::function<void()> work = [this, &now] { judge(now); };
        co_await on_worker(work);
    }
    while (now.later) co_await wait(now);
    if (!now.response && !now.error) {
        if (now.head.expects_continue && !now.body_done())
            co_await transport_->write(asio::buffer(wire::kContinue), context_.options.idle, now.error);
        if (now.sink) co_await pour(now);
        else co_await gather(now);
    }
    if (now.error && !now.response) {
        tell(now, kClientGone);
        co_return After::dead;
    }
    co_return co_await answer(now);
}

// Holds no thread: a hundred requests that wait for another one leave the workers to everybody else.
asio::awaitable<void> Connection::wait(Exchange& now) {
    const auto later = std::exchange(now.later, nullptr);
    if (!ending_) {
        waiting_ = std::make_shared<asio::steady_timer>(transport_->executor(), later->limit);
        later->begin([weak = std::weak_ptr(waiting_)] {
            if (const auto held = weak.lock())
                asio::post(held->get_executor(), [held] { held->expires_at(asio::steady_timer::time_point::min()); });
        });
        error_code ignored;
        co_await waiting_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        waiting_ = nullptr;
    }
    if (ending_) {  // whoever was shut out meanwhile goes on with nothing
        now.error = asio::error::operation_aborted;
        co_return;
    }
    std::function<void()> work = [this, &now, &later] { go_on(now, *later); };
    co_await on_worker(work);
}

// Bytes of the body; 0 at its end or with now.error.
asio::awaitable<std::size_t> Connection::next_bytes(Exchange& now, std::span<std::uint8_t> into) {
    if (now.left) co_return co_await next_plain(now, into);
    co_return co_await next_chunked(now, into);
}

// A body of known length: what came with the head, then straight from the network.
asio::awaitable<std::size_t> Connection::next_plain(Exchange& now, std::span<std::uint8_t> into) {
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), *now.left)));
    std::size_t n = 0;
    if (into.empty()) co_return n;
    if (!in_.empty()) {
        n = std::min(in_.size(), into.size());
        std::copy_n(in_.begin(), n, into.begin());
        in_.erase(0, n);
    } else {
        n = co_await transport_->read_some(asio::buffer(into.data(), into.size()), context_.options.idle, now.error);
    }
    *now.left -= n;
    co_return n;
}

asio::awaitable<std::size_t> Connection::next_chunked(Exchange& now, std::span<std::uint8_t> into) {
    auto& body = now.parser.get().body();
    while (!now.parser.is_done()) {
        if (!in_.empty()) {
            body.data = into.data();
            body.size = into.size();
            const auto used = now.parser.put(asio::buffer(in_), now.error);
            in_.erase(0, used);
            const bool more = now.error == boost::beast::http::error::need_buffer ||
                              now.error == boost::beast::http::error::need_more;
            if (now.error && !more) co_return 0;
            now.error = {};
            if (const auto n = into.size() - body.size; n > 0) co_return n;
            if (used > 0) continue;  // the head of a chunk: its bytes may be there already
        }
        co_await read_more(kBodyRead, context_.options.idle, now.error);
        if (now.error) co_return 0;
    }
    co_return 0;
}

// A whole body, within the route's limit, then its handler.
asio::awaitable<void> Connection::gather(Exchange& now) {
    auto& body = now.head.request.body;
    for (;;) {
        now.chunk.resize(kBodyRead);
        const auto n = co_await next_bytes(now, now.chunk);
        if (n == 0) break;
        if (body.size() + n > now.match.body_limit) {
            now.response = problem(Errc::too_large);
            co_return;
        }
        body.insert(body.end(), now.chunk.begin(), now.chunk.begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (now.error.category() == wire::parser_errors()) now.response = problem(Errc::malformed, kBadBody);
    if (now.error) co_return;
    std::function<void()> work = [this, &now] { handle(now); };
    co_await on_worker(work);
}

// A streamed body into its sink's own buffer, as it comes; a worker is asked only when the sink has enough.
asio::awaitable<void> Connection::pour(Exchange& now) {
    while (!now.response) {
        const auto n = co_await next_bytes(now, now.sink->room());
        const bool enough = n > 0 && now.sink->took(n);
        if (!enough && !now.error && !now.body_done()) continue;
        const bool ended = now.error || now.body_done();
        std::function<void()> work = [this, &now] { feed(now); };
        co_await on_worker(work);
        if (ended) break;
    }
    if (now.error.category() == wire::parser_errors()) now.response = problem(Errc::malformed, kBadBody);
}

// Runs on a worker while this coroutine waits; comes back to the strand.
asio::awaitable<void> Connection::on_worker(std::function<void()>& work) {
    auto initiate = [this, &work](auto handler) {
        const auto back = asio::get_associated_executor(handler);
        auto task = [&work, handler = std::move(handler), guard = asio::make_work_guard(back)]() mutable {
            work();
            asio::post(guard.get_executor(), std::move(handler));
        };
        asio::post(context_.workers, std::move(task));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
}

asio::awaitable<Connection::After> Connection::answer(Exchange& now) {
    const bool unread = !now.body_done();
    const bool keep = now.head.keep_alive && !unread && !ending_ && !now.error;
    auto& response = *now.response;
    router_.finish(now.head.request.path, response);
    auto text = wire::text_of(response, now.head.request.method, keep, std::time(nullptr));
    const bool body = wire::has_body(response, now.head.request.method);
    if (body && !response.source) text.append(as_text(response.body));
    error_code error;
    co_await transport_->write(asio::buffer(text), context_.options.idle, error);
    if (!error && body && response.source) co_await send_source(now, error);
    tell(now, response.status);
    if (error) co_return After::dead;
    if (keep) co_return After::next;
    co_return unread || now.error ? After::linger : After::close;
}

// While one buffer is sent a worker fills the other.
asio::awaitable<void> Connection::send_source(Exchange& now, error_code& error) {
    auto left = now.response->source_length;  // of it nothing is drawn yet
    if (left == 0) co_return;
    auto room = kStreamBuffer;
    std::vector<std::uint8_t> next;
    std::size_t got = 0;
    const auto read_next = [&] {
        next.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, room)));
        next.shrink_to_fit();
        got = draw(now, next);
        left -= got;
    };
    std::function<void()> work = read_next;
    co_await on_worker(work);
    while (got > 0 && !error) {
        std::swap(now.chunk, next);
        const auto began = std::chrono::steady_clock::now();
        auto sending = transport_->write(asio::buffer(now.chunk.data(), got), context_.options.idle, error);
        if (left == 0) {
            co_await std::move(sending);
            co_return;
        }
        auto both = on_worker(work) && std::move(sending);
        co_await std::move(both);
        // a thousand slow readers shall not hold a thousand large buffers
        if (std::chrono::steady_clock::now() - began > kSlow) room = kSlowChunk;
    }
    // the length is promised already: all that is left to do with less is to break off, so that it is noticed
    if (!error) error = asio::error::broken_pipe;
}

}  // namespace nimes::gateway::http
