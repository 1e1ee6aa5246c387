// Devices: who has which, those that wait for an approval, and those that are shut out.
#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;

Json as_json(const DeviceLine& d) {
    Json out{{"device", to_text(d.device)},
             {"address", d.address},
             {"name", d.name},
             {"state", d.state},
             {"role", d.role == DeviceRole::service ? "service" : "private"},
             {"platform", d.platform},
             {"not_before_ms", d.not_before},
             {"not_after_ms", d.not_after}};
    if (!d.reason.empty()) out["reason"] = d.reason;
    return out;
}

Response list_devices(const Administration& a, const Request& request) {
    std::optional<ServiceAddress> of;
    if (const auto* user = request.query_value("user")) {
        auto address = ServiceAddress::parse(*user);
        if (!address) return http::problem(address.error());
        of = std::move(*address);
    }
    auto out = Json::array();
    for (const auto& line : a.registry.devices(of)) out.push_back(as_json(line));
    return answer(out);
}

Response suspend(const Administration& a, const Request& request, bool suspended) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    const auto act = act_of(request, suspended ? "suspend" : "resume", {{"device", to_text(*device)}});
    const auto done =
        noted(a, act, [&] { return suspended ? a.registry.suspend(*device) : a.registry.resume(*device); });
    if (!done) return http::problem(done.error());
    return answer({{"device", to_text(*device)}, {"state", suspended ? "suspended" : "active"}});
}

Response list_waiting(const Administration& a) {
    const auto lines = a.approvals.waiting();
    if (!lines) return http::problem(lines.error());
    auto out = Json::array();
    for (const auto& l : *lines)
        out.push_back(
            {{"device", to_text(l.device)}, {"address", l.address}, {"name", l.name}, {"platform", l.platform}});
    return answer(out);
}

Response approve(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    const auto act = act_of(request, "approve", {{"device", to_text(*device)}});
    if (auto ok = noted(a, act, [&] { return a.approvals.approve(*device); }); !ok) return http::problem(ok.error());
    return answer({{"device", to_text(*device)}, {"state", "approved"}});
}

std::optional<RevokeReason> reason_of(std::string_view text) {
    if (text == "replaced") return RevokeReason::replaced;
    if (text == "lost") return RevokeReason::lost;
    if (text == "stolen") return RevokeReason::stolen;
    if (text == "left") return RevokeReason::left;
    return std::nullopt;
}

Response revoke(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    const auto text = field(request, "reason");
    if (!text) return http::problem(text.error());
    const auto reason = reason_of(*text);
    if (!reason) return http::problem(Errc::usage, "the reason is replaced, lost, stolen or left");
    const auto act = act_of(request, "revoke", {{"device", to_text(*device)}, {"reason", *text}});
    if (auto ok = noted(a, act, [&] { return a.registry.revoke(*device, *reason); }); !ok)
        return http::problem(ok.error());
    return answer({{"device", to_text(*device)}, {"state", "revoked"}, {"reason", *text}});
}

Json as_json(const WipeLine& w) {
    const char* state = w.ordered == 0     ? "not_ordered"
                        : w.receipted != 0 ? (w.files_remain ? "receipted_files_remain" : "receipted")
                        : w.delivered != 0 ? "delivered_no_receipt"
                                           : "ordered";
    return {{"state", state},
            {"ordered_ms", w.ordered},
            {"expires_ms", w.expires},
            {"delivered_ms", w.delivered},
            {"receipted_ms", w.receipted}};
}

Response wipe(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    const auto line = a.wipes.wipe(*device);
    if (!line) return http::problem(line.error());
    auto out = as_json(*line);
    out["device"] = to_text(*device);
    return answer(out);
}

Response revocation(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    Progress progress;
    if (!a.revocations.find(*device, progress)) return http::problem(Errc::not_found, "no revocation since the start");
    auto steps = Json::array();
    for (std::size_t i = 0; i < kSteps; ++i)
        steps.push_back({{"step", name(static_cast<Step>(i))},
                         {"done", progress.done[i] != 0},
                         {"after_ms", progress.done[i] == 0 ? 0 : progress.done[i] - progress.began}});
    Json out{{"device", to_text(*device)}, {"complete", progress.complete()}, {"steps", steps}};
    if (const auto line = a.wipes.wipe(*device); line && line->ordered != 0) out["wipe"] = as_json(*line);
    return answer(out);
}

}  // namespace

void add_device_routes(http::Router& router, const Administration& a) {
    using http::Access;
    using http::Method;
    router
        .add({Method::get, "/v1/admin/devices", [a](Request& r) { return list_devices(a, r); }, Access::open, 0})
        .add({Method::post, "/v1/admin/devices/{id}/suspend", [a](Request& r) { return suspend(a, r, true); },
              Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/devices/{id}/resume", [a](Request& r) { return suspend(a, r, false); },
              Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/devices/{id}/revoke", [a](Request& r) { return revoke(a, r); }, Access::open,
              kSmallBody})
        .add({Method::get, "/v1/admin/approvals", [a](Request&) { return list_waiting(a); }, Access::open, 0})
        .add({Method::post, "/v1/admin/devices/{id}/approve", [a](Request& r) { return approve(a, r); }, Access::open,
              kSmallBody})
        .add({Method::get, "/v1/admin/devices/{id}/wipe", [a](Request& r) { return wipe(a, r); }, Access::open, 0})
        .add({Method::get, "/v1/admin/devices/{id}/revocation", [a](Request& r) { return revocation(a, r); },
              Access::open, 0});
}

}  // namespace nimes::gateway::admin
