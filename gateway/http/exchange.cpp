#include "http/exchange.hpp"

#include "http/connections.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::http {

Connection::Exchange::Exchange(std::size_t head_limit) {
    parser.header_limit(static_cast<std::uint32_t>(head_limit));
    parser.body_limit(boost::none);  // routes have limits of their own, and a stream has none
}

// From a parsed head to a route, or to an answer.
void Connection::open(Exchange& now) {
    auto head = wire::head_of(now.parser);
    if (!head) {
        now.head.keep_alive = false;
        now.response = problem(head.error());
        return;
    }
    now.head = std::move(*head);
    auto& request = now.head.request;
    now.left = request.content_length;
    request.peer = transport_->peer();
    request.hang_up = [weak = weak_from_this()] {
        if (const auto connection = weak.lock()) connection->end();
    };
    now.match = now.head.method ? router_.find(*now.head.method, request.path) : router_.find_unknown(request.path);
    request.params = std::move(now.match.params);
    if (now.match.refused) now.response = std::move(now.match.refused);
    else if (now.match.handler && request.content_length.value_or(0) > now.match.body_limit)
        now.response = problem(Errc::too_large);
}

// Who asks, and, for a stream, whether its body is wanted. On a worker.
void Connection::judge(Exchange& now) {
    guarded(now, [&] {
        auto& request = now.head.request;
        if (now.match.access == Access::token) {
            auto caller = authorise(request.headers);
            if (!caller) {
                now.response = problem(caller.error());
                return;
            }
            request.caller = *caller;
        }
        if (now.match.stream == nullptr) return;
        take(now, (*now.match.stream)(request));
    });
}

void Connection::take(Exchange& now, Verdict verdict) {
    if (auto* refused = std::get_if<Response>(&verdict)) now.response = std::move(*refused);
    else if (auto* sink = std::get_if<std::unique_ptr<BodySink>>(&verdict)) now.sink = std::move(*sink);
    else now.later = std::move(std::get<std::unique_ptr<Later>>(verdict));
}

// What it waited for is over.
void Connection::go_on(Exchange& now, const Later& later) {
    guarded(now, [&] { take(now, later.next()); });
}

Result<Caller> Connection::authorise(const Headers& headers) {
    const auto token = bearer_token(headers);
    if (!token) return fail(token.error().code, token.error().detail);
    if (context_.authoriser == nullptr) return fail(Errc::token_invalid);
    for (;;) {
        const auto epoch = context_.connections.epoch();
        auto caller = context_.authoriser->authorise(*token);
        if (!caller) return caller;
        context_.connections.speaks(*this, caller->device);
        if (context_.connections.epoch() == epoch) return caller;  // else somebody was cut: perhaps this one
    }
}

void Connection::handle(Exchange& now) {
    guarded(now, [&] { now.response = (*now.match.handler)(now.head.request); });
}

// The sink has enough bytes to do something; or the body has ended, or was cut when now.error says so.
void Connection::feed(Exchange& now) {
    guarded(now, [&] {
        if (now.error) now.sink->cut();
        else if (now.body_done()) now.response = now.sink->finish();
        else now.response = now.sink->work();
    });
    if (now.response) now.sink.reset();  // on this thread: its end may wait for the disk
}

// The next bytes of a download; 0 when the source fails or ends too early.
std::size_t Connection::draw(Exchange& now, std::span<std::uint8_t> into) {
    try {
        const auto got = now.response->source->read(into);
        return got && *got <= into.size() ? *got : 0;
    } catch (const std::exception&) {
        return 0;
    }
}

// Exceptions of handlers end here: the request gets 500, the operator a line without the exception's words.
void Connection::guarded(Exchange& now, const std::function<void()>& step) {
    try {
        step();
    } catch (const std::exception&) {
        now.response = problem(Errc::internal);
        if (context_.hooks.note) context_.hooks.note("http_handler_failed", now.match.pattern);
    }
}

void Connection::tell(const Exchange& now, int status) const {
    if (!context_.hooks.answered) return;
    context_.hooks.answered(now.match.pattern, now.head.method ? name(*now.head.method) : "other", status);
}

}  // namespace nimes::gateway::http
