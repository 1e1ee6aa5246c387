#include "admin/route_parts.hpp"

namespace nimes::gateway::admin {

using Json = nlohmann::json;

http::Response answer(const Json& json, int status) {
    return http::Response::text(status, "application/json", json.dump() + "\n");
}

Result<std::string> field(const http::Request& request, const char* name) {
    const auto json = Json::parse(as_text(request.body), nullptr, false);
    if (!json.is_object()) return fail(Errc::malformed, "the body must be a JSON object");
    const auto at = json.find(name);
    if (at == json.end() || !at->is_string()) return fail(Errc::malformed, std::string("the field ") + name);
    return at->get<std::string>();
}

audit::Act act_of(const http::Request& request, const rights::Asker& who, std::string what,
                  nlohmann::ordered_json whom) {
    return {who.who, std::move(what), std::move(whom), rights::why_of(request)};
}

Result<void> noted(const Administration& a, const audit::Act& act, const std::function<Result<void>()>& run) {
    if (auto ok = a.audit.write(act); !ok) return ok;
    auto done = run();
    if (done) return done;
    auto failed = act;
    failed.what += " failed";
    failed.whom["code"] = done.error().row().name;
    if (auto ok = a.audit.write(failed); !ok) return ok;
    return done;
}

}  // namespace nimes::gateway::admin
