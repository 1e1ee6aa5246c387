// The organisation, its units, and the people who stand on its roster.
#include "admin/csv.hpp"
#include "admin/import.hpp"
#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;
using rights::Asker;

Response show_org(const Administration& a) {
    if (!a.organisation.exists()) return http::problem(Errc::not_found, "create the organisation first");
    const auto rules = a.organisation.rules();
    return answer({{"name", a.organisation.name()}, {"domains", rules.domains}, {"units", rules.units}});
}

Response create_org(const Administration& a, const Request& request, const Asker& who) {
    const auto name = field(request, "name");
    const auto domain = field(request, "domain");
    if (!name) return http::problem(name.error());
    if (!domain) return http::problem(domain.error());
    const auto act = act_of(request, who, "org create", {{"name", *name}, {"domain", *domain}});
    const auto create = [&](const store::Batch& row) { return a.organisation.create(*name, *domain, row); };
    if (auto ok = a.audit.write(act, create); !ok) return http::problem(ok.error());
    return answer({{"name", *name}, {"domains", a.organisation.rules().domains}}, 201);
}

Response create_unit(const Administration& a, const Request& request, const Asker& who) {
    const auto name = field(request, "name");
    if (!name) return http::problem(name.error());
    const auto add = [&](const store::Batch& row) { return a.organisation.add_unit(*name, row); };
    if (auto ok = a.audit.write(act_of(request, who, "unit create", {{"name", *name}}), add); !ok)
        return http::problem(ok.error());
    return answer({{"name", *name}}, 201);
}

Response list_people(const Administration& a, const Request& request, const Asker& who) {
    const auto* unit = request.query_value("unit");
    auto out = Json::array();
    for (const auto& p : a.registry.people())
        if (who.covers(p.unit) && (unit == nullptr || *unit == p.unit))
            out.push_back({{"address", p.address},
                           {"name", p.name},
                           {"rank", p.rank},
                           {"unit", p.unit},
                           {"shut_out", p.shut_out},
                           {"owner", a.administrators.is_owner(p.address)}});
    return answer(out);
}

}  // namespace

void add_people_routes(rights::Door& door, const Administration& a) {
    using http::Method;
    using rights::Action;
    const auto import = std::make_shared<RosterImport>(a);
    door.filtered(Method::get, "/v1/admin/org", Action::look, [a](Request&, const Asker&) { return show_org(a); })
        .whole(
            Method::post, "/v1/admin/org", Action::organise,
            [a](Request& r, const Asker& who) { return create_org(a, r, who); }, kSmallBody)
        .whole(
            Method::post, "/v1/admin/units", Action::organise,
            [a](Request& r, const Asker& who) { return create_unit(a, r, who); }, kSmallBody)
        .filtered(Method::get, "/v1/admin/people", Action::see_people,
                  [a](Request& r, const Asker& who) { return list_people(a, r, who); })
        .filtered(
            Method::post, "/v1/admin/roster", Action::import_roster,
            [import](Request& r, const Asker& who) { return import->answer_to(r, who); }, kMaxRosterBytes);
}

}  // namespace nimes::gateway::admin
