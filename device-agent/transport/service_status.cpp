#include "transport/service_status.hpp"

#include <nlohmann/json.hpp>

namespace nimes::agent::transport {

Result<ServiceStatus> service_status(HttpsClient& client) {
    const auto answer = client.get("/v1/status", false);
    if (!answer) return fail(answer.error().code, answer.error().detail);
    const auto json = nlohmann::json::parse(as_text(answer->body), nullptr, false);
    const auto number = [&](const char* name) -> std::optional<Millis> {
        if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned()) return std::nullopt;
        return json[name].get<Millis>();
    };
    const auto server = number("server_ms");
    const auto spread = number("reconnect_spread_ms");
    if (!server || !spread) return fail(Errc::malformed, "the gateway's status");
    return ServiceStatus{*server, *spread};
}

}  // namespace nimes::agent::transport
