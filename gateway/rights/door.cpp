#include "rights/door.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "http/bearer.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::rights {
namespace {

using http::Request;
using http::Response;

// As the kernel says who is at the other end of the socket (http/transport.hpp); never of a network address.
std::optional<std::uint32_t> uid_of(std::string_view peer) {
    constexpr std::string_view kBefore = "uid ";
    if (!peer.starts_with(kBefore)) return std::nullopt;
    peer.remove_prefix(kBefore.size());
    const auto digits = peer.substr(0, peer.find(' '));
    std::uint32_t out = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return out;
}

bool is_act(const Request& request) {
    return request.method != http::Method::get && request.method != http::Method::head;
}

std::string place(const Asker& asker) {
    if (asker.whole()) return "of the organisation";
    std::string out = asker.units.size() == 1 ? "of the unit " : "of the units ";
    for (const auto& unit : asker.units) out += (&unit == &asker.units.front() ? "" : ", ") + unit;
    return out;
}

}  // namespace

std::string why_of(const Request& request) {
    std::string out;
    if (const auto* why = request.query_value("why")) {
        out = *why;
    } else {
        const auto body = nlohmann::json::parse(as_text(request.body), nullptr, false);
        const auto at = body.is_object() ? body.find("why") : body.end();
        if (body.is_object() && at != body.end() && at->is_string()) out = *at;
    }
    return out.substr(0, kMaxWhy);
}

Door& Door::whole(http::Method method, std::string pattern, What what, Handler handler, std::size_t body_limit) {
    const auto all = what.all;
    return add({method, std::move(pattern), all, true}, std::move(what), {}, std::move(handler), body_limit);
}

Door& Door::filtered(http::Method method, std::string pattern, What what, Handler handler, std::size_t body_limit) {
    const auto all = what.all;
    return add({method, std::move(pattern), all}, std::move(what), {}, std::move(handler), body_limit);
}

Door& Door::aimed(http::Method method, std::string pattern, What what, Aim aim, Handler handler,
                  std::size_t body_limit) {
    const auto all = what.all;
    return add({method, std::move(pattern), all}, std::move(what), std::move(aim), std::move(handler), body_limit);
}

Door& Door::add(Row row, What what, Aim aim, Handler handler, std::size_t body_limit) {
    rows_.push_back(row);
    router_.add({row.method, row.pattern,
                 [this, row, what = std::move(what), aim = std::move(aim), handler = std::move(handler)](Request& r) {
                     return pass_through(row, what, aim, handler, r);
                 },
                 http::Access::open, body_limit});
    return *this;
}

Result<Asker> Door::asker(const Request& request) const {
    if (request.headers.find("Authorization") != nullptr) {
        if (const auto token = http::bearer_credentials(request.headers))
            if (const auto known = needs_.administrators.by_token(*token))
                return Asker{"administrator " + known->name + ", " + request.peer, known->name, known->role,
                             known->units};
        return fail(Errc::forbidden, "no administrator has this token: it was taken away, or its person is shut out");
    }
    const auto uid = uid_of(request.peer);
    if (uid && (*uid == 0 || *uid == needs_.own_uid)) return Asker{request.peer + ", local root", {}, Role::owner, {}};
    return fail(Errc::forbidden, "say who you are, by the token that an owner gave you (--as-token-file)");
}

Response Door::pass_through(const Row& row, const What& what, const Aim& aim, const Handler& handler,
                            Request& request) const {
    const auto who = asker(request);
    if (!who) {
        needs_.refusals.with({"unknown"}).add();
        return http::problem(who.error(), 401);
    }
    const auto chosen = what.which ? what.which(request) : Result<Action>(what.all.front());
    if (!chosen) return http::problem(chosen.error());
    if (!who->may(*chosen) || (row.whole_only && !who->whole()))
        return refuse(request, *who, *chosen, "role", who_may(*chosen) + " may");
    const bool on_owners = is_act(request) && who->role != Role::owner;
    if (!aim || (who->whole() && !on_owners)) return handler(request, *who);
    const auto meant = aim(request);
    if (!meant) return http::problem(meant.error());
    for (const auto& person : *meant) {
        if (!who->covers(person.unit))
            return refuse(request, *who, *chosen, "scope",
                          "somebody who is meant is in another unit; its administrator may, or the organisation's");
        if (on_owners && needs_.administrators.is_owner(person.address))
            return refuse(request, *who, *chosen, "owner", "somebody who is meant is an owner; an owner may");
        if (is_act(request) && needs_.administrators.reaches_beyond(person.address, *who))
            return refuse(request, *who, *chosen, "reach",
                          "somebody who is meant has rights beyond these units; who has as many may");
    }
    return handler(request, *who);
}

Response Door::refuse(const Request& request, const Asker& asker, Action action, const char* reason,
                      const std::string& detail) const {
    needs_.refusals.with({reason}).add();
    if (is_act(request)) {
        const audit::Act act{asker.who,
                             "refused",
                             {{"action", name(action)}, {"path", request.path}, {"reason", reason}},
                             why_of(request)};
        if (auto ok = needs_.audit.write(act); !ok) return http::problem(ok.error());
    }
    const auto role = std::string(name(asker.role)) + " " + place(asker);
    return http::problem(Errc::forbidden, std::string(name(action)) + " is not for " + role + ": " + detail);
}

}  // namespace nimes::gateway::rights
