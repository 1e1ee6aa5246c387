// What the administration's routes are written with. Pure but for note(), which writes to the store; threads: any.
#pragma once

#include <nlohmann/json.hpp>

#include "admin/routes.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kSmallBody = 16 * 1024;

http::Response answer(const nlohmann::json& json, int status = 200);
// A string field of the JSON object in the body; Errc::malformed names it.
Result<std::string> field(const http::Request& request, const char* name);
// The audit: one row a change, in order of time. Without it the change is refused.
Result<void> note(const Administration& a, std::string_view what, const nlohmann::json& on);

void add_group_routes(http::Router& router, const Administration& a);

}  // namespace nimes::gateway::admin
