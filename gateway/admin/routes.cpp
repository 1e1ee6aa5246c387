#include "admin/routes.hpp"

#include "admin/import.hpp"
#include "admin/route_parts.hpp"
#include "http/problem.hpp"

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

}  // namespace

void add_routes(http::Router& router, const Administration& a) {
    using http::Access;
    using http::Method;
    const auto import = std::make_shared<RosterImport>(a);
    router.add({Method::post, "/v1/admin/org", [a](Request& r) { return create_org(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/units", [a](Request& r) { return create_unit(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/roster", [import](Request& r) { return import->answer_to(r); }, Access::open,
              kMaxRosterBytes});
    add_device_routes(router, a);
    add_audit_routes(router, a);
    add_group_routes(router, a);
}

}  // namespace nimes::gateway::admin
