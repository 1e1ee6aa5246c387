#include "app/pages.hpp"

#include <nlohmann/json.hpp>

#include "app/options.hpp"
#include "http/problem.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::app {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;

Response page(const operations::Page& page) {
    return Response::text(page.status, std::string(operations::kPlainText), page.body);
}
bool verbose(const Request& request) { return request.query_value("verbose") != nullptr; }

}  // namespace

void add_status(http::Router& router, const Clock& clock, std::function<std::uint32_t()> spread_ms) {
    router.add({Method::get, "/v1/status",
                [&clock, spread_ms = std::move(spread_ms)](Request&) {
                    return Response::text(200, "application/json",
                                          "{\"server_ms\":" + std::to_string(clock.now()) +
                                              ",\"reconnect_spread_ms\":" + std::to_string(spread_ms()) + "}\n");
                },
                Access::open, 0});
}

void add_local(rights::Door& door, const operations::Health& health, std::function<Result<Bytes>()> provisioning,
               std::function<v1::SignedPolicy()> policy) {
    using rights::Action;
    using rights::Asker;
    const auto json = [](const nlohmann::json& value) {
        return Response::text(200, "application/json", value.dump() + "\n");
    };
    door.filtered(Method::get, "/v1/admin/health", Action::look,
                  [&health, json](Request&, const Asker&) {
                      const auto ready = health.readyz(true);
                      return json({{"ready", ready.status == 200}, {"checks", ready.body}});
                  })
        .whole(Method::get, "/v1/admin/provisioning", Action::provision,
               [json, provisioning = std::move(provisioning)](Request&, const Asker&) {
                   const auto file = provisioning();
                   return file ? json({{"file", to_hex(*file)}}) : http::problem(file.error());
               })
        .filtered(Method::get, "/v1/admin/policy", Action::look,
                  [json, policy = std::move(policy)](Request&, const Asker&) { return json(told_json(policy())); });
}

void add_operations(http::Router& router, const operations::Metrics& metrics, const operations::Health& health) {
    router
        .add({Method::get, "/metrics",
              [&metrics](Request&) {
                  return Response::text(200, std::string(operations::kMetricsText), metrics.text());
              },
              Access::open, 0})
        .add({Method::get, "/livez", [&health](Request& r) { return page(health.livez(verbose(r))); }, Access::open, 0})
        .add({Method::get, "/readyz", [&health](Request& r) { return page(health.readyz(verbose(r))); }, Access::open,
              0});
}

}  // namespace nimes::gateway::app
