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
using rights::Action;
using rights::Asker;
using rights::Meant;

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

// Which brokers hold what the order changed, and which of the others it waits for. Whoever is connected to one that is
// not waited for gets nothing there.
Json brokers_of(const Order& order, const Names& names) {
    std::uint64_t wanted = 0;
    bool waits = false;
    for (const auto& t : order.targets) {
        if (t.superseded != 0 || !order.wants(t, Step::broker_obeyed)) continue;
        wanted = std::max(wanted, t.mirror_revision);
        waits = waits || !t.has(Step::broker_obeyed);
    }
    auto out = Json::array();
    for (const auto& b : names.brokers()) {
        const bool holds = b.linked && b.mirror_revision >= wanted;
        out.push_back({{"name", b.name},
                       {"linked", b.linked},
                       {"mirror_revision", b.mirror_revision},
                       {"holds", holds},
                       {"waited_for", waits && b.awaited && !holds}});
    }
    return out;
}

// Whose chain it is, for who may know them; that it is owed, for all who see the order.
Json owed_line(const Owed& owed, const Names& names, const Asker& who) {
    Json out{{"conversation", to_hex(owed.conversation.view())}};
    const auto sender = Subject::of(owed.sender);
    if (who.covers(names.unit_of(sender)))
        out.update({{"by", names.address(sender)}, {"device", to_text(owed.sender)}});
    return out;
}

Json whole(const Order& order, const Names& names, const Asker& who) {
    auto out = head_of(order);
    out["brokers"] = brokers_of(order, names);
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
        owed.push_back(owed_line(order.owed[i], names, who));
    out["targets"] = std::move(targets);
    out["owed"] = std::move(owed);
    return out;
}

Action action_of(Kind kind) {
    if (kind == Kind::revoke) return Action::revoke;
    return kind == Kind::suspend ? Action::suspend : Action::reinstate;
}

// Which right an order wants is in its body.
Result<Action> action_in(const Request& request) {
    const auto body = Json::parse(as_text(request.body), nullptr, false);
    const auto kind = body.is_object() && body.contains("kind") && body["kind"].is_string()
                          ? kind_of(body["kind"].get<std::string>())
                          : std::nullopt;
    if (!kind) return fail(Errc::usage, "the kind is suspend, revoke or reinstate");
    return action_of(*kind);
}

Meant meant(const Names& names, const Subject& subject) { return {names.address(subject), names.unit_of(subject)}; }

Result<std::vector<Meant>> meant_by(const Result<Draft>& draft, const Names& names) {
    if (!draft) return fail(draft.error().code, draft.error().detail);
    std::vector<Meant> out;
    for (const auto& user : draft->people) out.push_back(meant(names, Subject::of(user)));
    for (const auto& device : draft->devices) out.push_back(meant(names, Subject::of(device)));
    return out;
}

Result<std::vector<Meant>> meant_by(const Result<std::optional<Order>>& order, const Names& names) {
    if (!order) return fail(order.error().code, order.error().detail);
    if (!*order) return fail(Errc::not_found, "no such order");
    std::vector<Meant> out;
    for (const auto& target : (*order)->targets) out.push_back(meant(names, target.subject));
    return out;
}

Response give(Runner& runner, const Names& names, const Request& request, const Asker& who) {
    const auto draft = draft_of(request.body, who.who, names);
    if (!draft) return http::problem(draft.error());
    const auto order = runner.order(*draft);
    if (!order) return http::problem(order.error());
    return answer(whole(*order, names, who), 201);
}

// The order for one device, as the short routes give it.
Result<Draft> draft_for_one(const Names& names, const Request& request, Kind kind, const std::string& who) {
    const auto said = Json::parse(as_text(request.body), nullptr, false);
    auto body = said.is_object() ? said : Json::object();
    body["kind"] = name(kind);
    body["devices"] = {std::string(request.param("id"))};
    body.erase("users");
    body.erase("unit");
    return draft_of(as_bytes(body.dump(-1, ' ', false, Json::error_handler_t::replace)), who, names);
}

Response give_one(Runner& runner, const Names& names, const Request& request, Kind kind, const Asker& who) {
    const auto draft = draft_for_one(names, request, kind, who.who);
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

// Who has rights in some units alone sees the orders that mean nobody else.
Response list(Runner& runner, const Names& names, const Request& request, const Asker& who) {
    const auto* before = request.query_value("before");
    const auto until = before == nullptr ? std::optional(~std::uint64_t{0}) : number(*before);
    if (!until) return http::problem(Errc::malformed, "before is the number of an order");
    auto out = Json::array();
    for (auto from = *until; out.size() < kOrdersAtOnce;) {
        const auto orders = runner.newest(from, kOrdersAtOnce);
        if (!orders) return http::problem(orders.error());
        for (const auto& order : *orders) {
            from = order.id;
            const auto covered = [&](const Target& t) { return who.covers(names.unit_of(t.subject)); };
            if (out.size() < kOrdersAtOnce &&
                (who.whole() || std::all_of(order.targets.begin(), order.targets.end(), covered)))
                out.push_back(head_of(order));
        }
        if (orders->size() < kOrdersAtOnce) break;  // that was the first one
    }
    return answer(out);
}

Response show(const Result<std::optional<Order>>& order, const Names& names, const Asker& who) {
    if (!order) return http::problem(order.error());
    if (!*order) return http::problem(Errc::not_found, "no such order");
    return answer(whole(**order, names, who));
}

Result<std::optional<Order>> order_in(Runner& runner, const Request& request) {
    const auto id = number(request.param("id"));
    if (!id) return fail(Errc::malformed, "an order has a number");
    return runner.find(*id);
}

Result<std::optional<Order>> newest_in(Runner& runner, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return fail(device.error().code, device.error().detail);
    return runner.newest_of(*device);
}

void add_short(rights::Door& door, Runner& r, const Names& n, const char* word, Kind kind) {
    const auto aim = [&n, kind](const Request& q) { return meant_by(draft_for_one(n, q, kind, {}), n); };
    door.aimed(
        http::Method::post, std::string("/v1/admin/devices/{id}/") + word, action_of(kind), aim,
        [&r, &n, kind](Request& q, const Asker& who) { return give_one(r, n, q, kind, who); }, kBody);
}

}  // namespace

void add_routes(rights::Door& door, Runner& r, const Names& n) {
    using http::Method;
    door.aimed(
            Method::post, "/v1/admin/revocations", {{Action::suspend, Action::revoke, Action::reinstate}, action_in},
            [&n](const Request& q) { return meant_by(draft_of(q.body, {}, n), n); },
            [&r, &n](Request& q, const Asker& who) { return give(r, n, q, who); }, kBody)
        .filtered(Method::get, "/v1/admin/revocations", Action::see_orders,
                  [&r, &n](Request& q, const Asker& who) { return list(r, n, q, who); })
        .aimed(
            Method::get, "/v1/admin/revocations/{id}", Action::see_orders,
            [&r, &n](const Request& q) { return meant_by(order_in(r, q), n); },
            [&r, &n](Request& q, const Asker& who) { return show(order_in(r, q), n, who); })
        .aimed(
            Method::get, "/v1/admin/devices/{id}/revocation", Action::see_orders,
            [&r, &n](const Request& q) { return meant_by(newest_in(r, q), n); },
            [&r, &n](Request& q, const Asker& who) { return show(newest_in(r, q), n, who); });
    add_short(door, r, n, "suspend", Kind::suspend);
    add_short(door, r, n, "resume", Kind::reinstate);
    add_short(door, r, n, "revoke", Kind::revoke);
}

}  // namespace nimes::gateway::revocation
