#include "revocation/routes.hpp"

#include <algorithm>
#include <charconv>

#include "http/problem.hpp"
#include "nimes/encoding.hpp"
#include "revocation/drafts.hpp"

namespace nimes::gateway::revocation {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;

constexpr std::size_t kBody = 4 * 1024 * 1024;
constexpr std::size_t kOrdersAtOnce = 100;
constexpr std::size_t kOwedShown = 1'000;

Response answer(const Json& json, int status = 200) {
    // Somebody's words, cut at a byte: as the audit and the journal write them.
    return Response::text(status, "application/json", json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// Of all targets that want it: how many have it, and when the last did.
Json step_of(const Order& order, Step step) {
    std::size_t of = 0, done = 0;
    Millis last = 0;
    for (const auto& t : order.targets) {
        if (!order.wants(t, step) || (t.superseded != 0 && !t.has(step))) continue;
        ++of;
        if (!t.has(step)) continue;
        ++done;
        last = std::max(last, t.done[static_cast<std::size_t>(step)]);
    }
    const bool all = done == of;
    return {{"step", name(step)},   {"of", of},
            {"confirmed", done},    {"done", all},
            {"ms", all ? last : 0}, {"after_ms", all && last != 0 ? last - order.ordered : 0}};
}

Json steps_of(const Order& order) {
    auto out = Json::array();
    for (std::size_t i = 0; i < kSteps; ++i) {
        const auto step = static_cast<Step>(i);
        const auto wanted = [&](const Target& t) { return order.wants(t, step); };
        if (std::any_of(order.targets.begin(), order.targets.end(), wanted)) out.push_back(step_of(order, step));
    }
    return out;
}

Json head_of(const Order& order) {
    const auto devices = std::count_if(order.targets.begin(), order.targets.end(),
                                       [](const Target& t) { return t.subject.is_device(); });
    Json out{{"id", order.id},
             {"kind", name(order.kind)},
             {"scope", order.scope},
             {"who", order.who},
             {"why", order.why},
             {"ordered_ms", order.ordered},
             {"complete", order.ended != 0},
             {"complete_ms", order.ended},
             {"devices", devices},
             {"people", static_cast<std::ptrdiff_t>(order.targets.size()) - devices},
             {"chains_owed", order.owed.size()},
             {"chains_renewed_ms", order.renewed},
             {"steps", steps_of(order)}};
    if (order.reason) out["reason"] = name(*order.reason);
    return out;
}

Json whole(const Order& order, const Names& names) {
    auto out = head_of(order);
    auto targets = Json::array(), owed = Json::array();
    for (const auto& t : order.targets) {
        Json line{{"address", names.address(t.subject)}, {"done", order.finished(t)}, {"superseded_ms", t.superseded}};
        if (t.subject.is_device()) line["device"] = to_text(t.subject.device());
        auto& steps = line["steps"] = Json::object();
        for (std::size_t i = 0; i < kSteps; ++i)
            if (order.wants(t, static_cast<Step>(i))) steps[std::string(name(static_cast<Step>(i)))] = t.done[i];
        targets.push_back(std::move(line));
    }
    for (std::size_t i = 0; i < order.owed.size() && i < kOwedShown; ++i)
        owed.push_back({{"conversation", to_hex(order.owed[i].conversation.view())},
                        {"by", names.address(Subject::of(order.owed[i].sender))},
                        {"device", to_text(order.owed[i].sender)}});
    out["targets"] = std::move(targets);
    out["owed"] = std::move(owed);
    return out;
}

Response give(Runner& runner, const Names& names, const Request& request) {
    const auto draft = draft_of(request.body, request.peer, names);
    if (!draft) return http::problem(draft.error());
    const auto order = runner.order(*draft);
    if (!order) return http::problem(order.error());
    return answer(whole(*order, names), 201);
}

// The order for one device, as the short routes give it.
Response give_one(Runner& runner, const Names& names, const Request& request, Kind kind) {
    const auto said = Json::parse(as_text(request.body), nullptr, false);
    auto body = said.is_object() ? said : Json::object();
    body["kind"] = name(kind);
    body["devices"] = {std::string(request.param("id"))};
    body.erase("users");
    body.erase("unit");
    const auto draft = draft_of(as_bytes(body.dump()), request.peer, names);
    if (!draft) return http::problem(draft.error());
    const auto order = runner.order(*draft);
    if (!order) return http::problem(order.error());
    const auto* state = kind == Kind::revoke ? "revoked" : kind == Kind::suspend ? "suspended" : "active";
    Json out{{"device", request.param("id")}, {"state", state}, {"order", order->id}};
    if (order->reason) out["reason"] = name(*order->reason);
    return answer(out);
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

Response list(Runner& runner, const Request& request) {
    const auto* before = request.query_value("before");
    const auto until = before == nullptr ? std::optional(~std::uint64_t{0}) : number(*before);
    if (!until) return http::problem(Errc::malformed, "before is the number of an order");
    const auto orders = runner.newest(*until, kOrdersAtOnce);
    if (!orders) return http::problem(orders.error());
    auto out = Json::array();
    for (const auto& order : *orders) out.push_back(head_of(order));
    return answer(out);
}

Response show(const Result<std::optional<Order>>& order, const Names& names) {
    if (!order) return http::problem(order.error());
    if (!*order) return http::problem(Errc::not_found, "no such order");
    return answer(whole(**order, names));
}

Response show_one(Runner& runner, const Names& names, const Request& request) {
    const auto id = number(request.param("id"));
    if (!id) return http::problem(Errc::malformed, "an order has a number");
    return show(runner.find(*id), names);
}

Response show_newest_of(Runner& runner, const Names& names, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    return show(runner.newest_of(*device), names);
}

}  // namespace

void add_routes(http::Router& router, Runner& r, const Names& n) {
    using http::Access;
    using http::Method;
    router.add({Method::post, "/v1/admin/revocations", [&](Request& q) { return give(r, n, q); }, Access::open, kBody})
        .add({Method::get, "/v1/admin/revocations", [&](Request& q) { return list(r, q); }, Access::open, 0})
        .add(
            {Method::get, "/v1/admin/revocations/{id}", [&](Request& q) { return show_one(r, n, q); }, Access::open, 0})
        .add({Method::post, "/v1/admin/devices/{id}/suspend",
              [&](Request& q) { return give_one(r, n, q, Kind::suspend); }, Access::open, kBody})
        .add({Method::post, "/v1/admin/devices/{id}/resume",
              [&](Request& q) { return give_one(r, n, q, Kind::reinstate); }, Access::open, kBody})
        .add({Method::post, "/v1/admin/devices/{id}/revoke",
              [&](Request& q) { return give_one(r, n, q, Kind::revoke); }, Access::open, kBody})
        .add({Method::get, "/v1/admin/devices/{id}/revocation", [&](Request& q) { return show_newest_of(r, n, q); },
              Access::open, 0});
}

}  // namespace nimes::gateway::revocation
