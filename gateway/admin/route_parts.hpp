// What the administration's routes are written with. Pure but for noted(), which writes to the store; threads: any.
#pragma once

#include <nlohmann/json.hpp>

#include "admin/routes.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kSmallBody = 16 * 1024;

http::Response answer(const nlohmann::json& json, int status = 200);
// A string field of the JSON object in the body; Errc::malformed names it.
Result<std::string> field(const http::Request& request, const char* name);
// What the audit says of this request: who asks, and why, in the body's field or the query's value "why".
audit::Act act_of(const http::Request& request, const rights::Asker& who, std::string what,
                  nlohmann::ordered_json whom);
// For what cannot be one commit with its entry: the entry first, without it nothing is begun; if `run` fails, another
// one says so.
Result<void> noted(const Administration& a, const audit::Act& act, const std::function<Result<void>()>& run);

void add_administrator_routes(rights::Door& door, const Administration& a);
void add_audit_routes(rights::Door& door, const Administration& a);
void add_device_routes(rights::Door& door, const Administration& a);
void add_group_routes(rights::Door& door, const Administration& a);
void add_people_routes(rights::Door& door, const Administration& a);

}  // namespace nimes::gateway::admin
