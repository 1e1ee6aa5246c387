// The verbs of trust: a person verified, an own device confirmed or revoked.
#include "cli/arguments.hpp"
#include "cli/engine_service.hpp"
#include "cli/event_json.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

std::optional<RevokeReason> reason_of(const std::string& name) {
    if (name.empty() || name == "lost") return RevokeReason::lost;
    if (name == "stolen") return RevokeReason::stolen;
    if (name == "replaced") return RevokeReason::replaced;
    return std::nullopt;
}

}  // namespace

Result<Json> EngineService::verify(const Json& a, const Emit& emit) {
    engine::Candidates candidates;
    const auto done =
        with_candidates(agent_->verify(text(a, "person"), text(a, "scanned"), candidates), candidates, emit);
    if (!done) return fail(done.error().code, done.error().detail);
    Json out{{"user", to_hex(done->user.view())},
             {"name", done->name},
             {"safety_number", done->safety_number},
             {"code", done->code},
             {"devices", Json::array()}};
    trust_json(out, done->trust);
    for (const auto& d : done->devices) out["devices"].push_back(device_json(d));
    if (done->scanned) out["scanned"] = to_text(*done->scanned);
    return out;
}

Result<Json> EngineService::audit(const Json& a, const std::stop_token& stop) {
    const auto done = agent_->audit(text(a, "roster"), stop);
    if (!done) return fail(done.error().code, done.error().detail);
    Json out{{"revision", done->revision},
             {"published_ms", done->ts},
             {"people", done->people},
             {"reachable", done->reachable}};
    if (!done->compared) return out;
    out["strangers"] = Json::array();
    for (const auto& hash : done->strangers) out["strangers"].push_back(to_hex(hash.view()));
    out["without_devices"] = done->without_devices;
    return out;
}

std::optional<Result<Json>> EngineService::trust_verb(const Request& r, const Emit& emit, const std::stop_token& stop) {
    const auto& a = r.arguments;
    if (r.verb == "verify") return verify(a, emit);
    if (r.verb == "audit") return audit(a, stop);
    if (r.verb != "devices.confirm" && r.verb != "devices.revoke") return std::nullopt;
    const auto device = device_from_text(text(a, "device"));
    if (!device) return fail(Errc::usage, "a device has 26 characters");
    const auto reason = reason_of(text(a, "reason"));
    if (!reason) return fail(Errc::usage, "a reason is lost, stolen or replaced");
    auto done = r.verb == "devices.confirm" ? agent_->confirm_device(*device) : agent_->revoke_device(*device, *reason);
    if (!done) return pass(done);
    return Json{{"device", to_text(*device)}};
}

}  // namespace nimes::agent::cli
