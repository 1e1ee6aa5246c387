// Devices: who has which, those that wait for an approval, and what became of the wipe of one that is out.
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

}  // namespace

void add_device_routes(http::Router& router, const Administration& a) {
    using http::Access;
    using http::Method;
    router.add({Method::get, "/v1/admin/devices", [a](Request& r) { return list_devices(a, r); }, Access::open, 0})
        .add({Method::get, "/v1/admin/approvals", [a](Request&) { return list_waiting(a); }, Access::open, 0})
        .add({Method::post, "/v1/admin/devices/{id}/approve", [a](Request& r) { return approve(a, r); }, Access::open,
              kSmallBody})
        .add({Method::get, "/v1/admin/devices/{id}/wipe", [a](Request& r) { return wipe(a, r); }, Access::open, 0});
}

}  // namespace nimes::gateway::admin
