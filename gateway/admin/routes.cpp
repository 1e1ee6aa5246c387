#include "admin/routes.hpp"

#include "admin/route_parts.hpp"
#include "http/problem.hpp"
#include "nimes/crypto.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;

Response create_org(const Administration& a, const Request& request) {
    const auto name = field(request, "name");
    const auto domain = field(request, "domain");
    if (!name) return http::problem(name.error());
    if (!domain) return http::problem(domain.error());
    const auto act = act_of(request, "org create", {{"name", *name}, {"domain", *domain}});
    const auto create = [&](const store::Batch& row) { return a.organisation.create(*name, *domain, row); };
    if (auto ok = a.audit.write(act, create); !ok) return http::problem(ok.error());
    return answer({{"name", *name}, {"domains", a.organisation.rules().domains}}, 201);
}

Response create_unit(const Administration& a, const Request& request) {
    const auto name = field(request, "name");
    if (!name) return http::problem(name.error());
    const auto add = [&](const store::Batch& row) { return a.organisation.add_unit(*name, row); };
    if (auto ok = a.audit.write(act_of(request, "unit create", {{"name", *name}}), add); !ok)
        return http::problem(ok.error());
    return answer({{"name", *name}}, 201);
}

audit::Act of_import(const Request& request, const std::string& file, const PersonFields& person) {
    return act_of(request, "person put",
                  {{"address", person.address.text()},
                   {"name", person.name},
                   {"rank", person.rank},
                   {"unit", person.unit},
                   {"roster", file}});
}

Response import_roster(const Administration& a, const Request& request) {
    if (!a.organisation.exists()) return http::problem(Errc::not_found, "create the organisation first");
    const auto people = parse_roster(as_text(request.body), a.organisation.rules());
    if (!people) return http::problem(people.error());
    const auto* dry = request.query_value("dry_run");
    std::size_t count[3] = {};
    if (dry == nullptr) {
        const auto file = to_hex(sha256({request.body}).view());
        if (auto ok = a.audit.write(act_of(request, "roster import", {{"sha256", file}, {"people", people->size()}})); !ok)
            return http::problem(ok.error());
        for (const auto& person : *people) {
            const auto put = [&](const store::Batch& row) { return a.registry.put_person(person, row); };
            const auto change = a.audit.write(of_import(request, file, person), put);
            if (!change) return http::problem(change.error());  // repeating the import goes on where this one ended
            ++count[static_cast<std::size_t>(*change)];
        }
    }
    return answer({{"people", people->size()},
                   {"dry_run", dry != nullptr},
                   {"added", count[0]},
                   {"changed", count[1]},
                   {"unchanged", count[2]}});
}

}  // namespace

void add_routes(http::Router& router, const Administration& a) {
    using http::Access;
    using http::Method;
    router.add({Method::post, "/v1/admin/org", [a](Request& r) { return create_org(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/units", [a](Request& r) { return create_unit(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/roster", [a](Request& r) { return import_roster(a, r); }, Access::open,
              kMaxRosterBytes});
    add_device_routes(router, a);
    add_audit_routes(router, a);
    add_group_routes(router, a);
}

}  // namespace nimes::gateway::admin
