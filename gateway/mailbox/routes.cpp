#include "mailbox/routes.hpp"

#include <charconv>

#include "http/problem.hpp"
#include "nimes/encoding.hpp"
#include "nimes/v1/transport.pb.h"

namespace nimes::gateway::mailbox {
namespace {

http::Response events(EventLog& log, const http::Request& request) {
    const auto id = id_from_hex<ConversationId>(request.param("id"));
    if (!id) return http::problem(Errc::malformed, "a conversation id has 32 hex digits");
    std::uint64_t from = 1;
    if (const auto* text = request.query_value("from"); text != nullptr) {
        const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), from);
        if (error != std::errc{} || at != text->data() + text->size())
            return http::problem(Errc::malformed, "an epoch is a whole number");
    }
    const auto page = log.page(*id, request.caller->user, from);
    if (!page) return http::problem(page.error());
    v1::ConversationEvents out;
    out.set_newest_epoch(page->newest);
    for (const auto& event : page->events) out.add_events(std::string(as_text(event)));
    Bytes body(out.ByteSizeLong());
    (void)out.SerializeToArray(body.data(), static_cast<int>(body.size()));
    return http::Response::bytes(200, "application/x-protobuf", std::move(body));
}

}  // namespace

void add_routes(http::Router& router, EventLog& log) {
    router.add(
        {http::Method::get, "/v1/conversations/{id}/events", [&log](http::Request& r) { return events(log, r); }});
}

}  // namespace nimes::gateway::mailbox
