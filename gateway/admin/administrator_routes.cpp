// Administrators: made, shown, taken away; and what whoever asks may do.
#include <algorithm>

#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;
using rights::Administrator;
using rights::Asker;

Json as_json(const Administrator& a) {
    return {{"name", a.name},       {"address", a.address}, {"role", rights::name(a.role)}, {"units", a.units},
            {"made_by", a.made_by}, {"made_ms", a.made},    {"last_used_ms", a.last_used}};
}

Response list(const Administration& a) {
    auto out = Json::array();
    for (const auto& administrator : a.administrators.all()) out.push_back(as_json(administrator));
    return answer(out);
}

Result<std::vector<std::string>> units_of(const Administration& a, const Request& request) {
    const auto body = Json::parse(as_text(request.body), nullptr, false);
    const auto at = body.is_object() ? body.find("units") : body.end();
    std::vector<std::string> out;
    if (!body.is_object() || at == body.end()) return out;
    if (!at->is_array()) return fail(Errc::malformed, "units is a list of names");
    const auto known = a.organisation.rules().units;
    for (const auto& unit : *at) {
        if (!unit.is_string()) return fail(Errc::malformed, "units is a list of names");
        if (std::find(known.begin(), known.end(), unit.get<std::string>()) == known.end())
            return fail(Errc::not_found, "no unit of that name: create it first");
        out.push_back(unit);
    }
    return out;
}

// The token is in this answer and nowhere else: what is kept is its hash.
Response add(const Administration& a, const Request& request, const Asker& who) {
    const auto name = field(request, "name"), address = field(request, "address"), said = field(request, "role");
    for (const auto* f : {&name, &address, &said})
        if (!*f) return http::problem(f->error());
    const auto role = rights::role_of(*said);
    if (!role) return http::problem(Errc::malformed, "the role is owner, administrator, help_desk or auditor");
    auto units = units_of(a, request);
    if (!units) return http::problem(units.error());
    const Administrator made{*name, *address, *role, *units, who.who, 0, 0};
    const auto act = act_of(request, who, "administrator add",
                            {{"name", *name}, {"address", *address}, {"role", *said}, {"units", *units}});
    const auto token = a.audit.write(act, [&](const store::Batch& row) { return a.administrators.add(made, row); });
    if (!token) return http::problem(token.error());
    auto out = answer({{"name", *name}, {"role", *said}, {"units", *units}, {"token", *token}}, 201);
    out.headers.set("Cache-Control", "no-store");
    return out;
}

Response remove(const Administration& a, const Request& request, const Asker& who) {
    const std::string name(request.param("name"));
    const auto act = act_of(request, who, "administrator remove", {{"name", name}});
    const auto held = a.administrators.may_remove(name);
    if (!held) {
        auto refused = act;
        refused.what += " failed";
        refused.whom["code"] = held.error().row().name;
        if (auto ok = a.audit.write(refused); !ok) return http::problem(ok.error());
        return http::problem(held.error());
    }
    const auto gone = a.audit.write(act, [&](const store::Batch& row) { return a.administrators.remove(name, row); });
    if (!gone) return http::problem(gone.error());
    return answer({{"name", name}, {"state", "removed"}});
}

// For a console: what to offer. And for whoever holds the API's description against the server.
Response self(const rights::Door& door, const Asker& who) {
    auto may = Json::array();
    for (const auto& row : door.rows()) {
        auto actions = Json::array();
        for (const auto action : row.actions)
            if (who.may(action) && (who.whole() || !row.whole_only)) actions.push_back(rights::name(action));
        if (!actions.empty())
            may.push_back({{"method", http::name(row.method)}, {"path", row.pattern}, {"actions", actions}});
    }
    return answer({{"name", who.name},
                   {"role", rights::name(who.role)},
                   {"units", who.units},
                   {"local_root", who.name.empty()},
                   {"may", std::move(may)}});
}

}  // namespace

void add_administrator_routes(rights::Door& door, const Administration& a) {
    using http::Method;
    using rights::Action;
    door.whole(Method::get, "/v1/admin/administrators", Action::make_administrators,
               [a](Request&, const Asker&) { return list(a); })
        .whole(
            Method::post, "/v1/admin/administrators", Action::make_administrators,
            [a](Request& r, const Asker& who) { return add(a, r, who); }, kSmallBody)
        .whole(
            Method::del, "/v1/admin/administrators/{name}", Action::make_administrators,
            [a](Request& r, const Asker& who) { return remove(a, r, who); }, kSmallBody)
        .filtered(Method::get, "/v1/admin/self", Action::look,
                  [&door](Request&, const Asker& who) { return self(door, who); });
}

}  // namespace nimes::gateway::admin
