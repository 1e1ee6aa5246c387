// Devices: who has which, those that wait for an approval, and what became of the wipe of one that is out.
#include <algorithm>

#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;
using rights::Asker;

Json as_json(const DeviceLine& d) {
    Json out{{"device", to_text(d.device)},
             {"address", d.address},
             {"name", d.name},
             {"unit", d.unit},
             {"state", d.state},
             {"role", d.role == DeviceRole::service ? "service" : "private"},
             {"platform", d.platform},
             {"not_before_ms", d.not_before},
             {"not_after_ms", d.not_after}};
    if (!d.reason.empty()) out["reason"] = d.reason;
    return out;
}

Response list_devices(const Administration& a, const Request& request, const Asker& who) {
    std::optional<ServiceAddress> of;
    if (const auto* user = request.query_value("user")) {
        auto address = ServiceAddress::parse(*user);
        if (!address) return http::problem(address.error());
        of = std::move(*address);
    }
    auto out = Json::array();
    for (const auto& line : a.registry.devices(of))
        if (who.covers(line.unit)) out.push_back(as_json(line));
    return answer(out);
}

Response list_waiting(const Administration& a, const Asker& who) {
    const auto lines = a.approvals.waiting();
    if (!lines) return http::problem(lines.error());
    auto out = Json::array();
    for (const auto& l : *lines)
        if (who.covers(l.unit))
            out.push_back({{"device", to_text(l.device)},
                           {"address", l.address},
                           {"name", l.name},
                           {"unit", l.unit},
                           {"platform", l.platform},
                           {"shut_out", l.shut_out}});
    return answer(out);
}

Result<WaitingLine> waiting_line(const Administration& a, const DeviceId& device) {
    const auto lines = a.approvals.waiting();
    if (!lines) return fail(lines.error().code, lines.error().detail);
    const auto at = std::find_if(lines->begin(), lines->end(), [&](const auto& l) { return l.device == device; });
    if (at == lines->end()) return fail(Errc::not_found, "no such device waits for an approval");
    return *at;
}

// Enrolment asks again at its end, and would refuse the device: an approval that says otherwise helps nobody.
Result<void> approve(const Administration& a, const DeviceId& device) {
    const auto line = waiting_line(a, device);
    if (!line) return fail(line.error().code, line.error().detail);
    if (line->shut_out)
        return fail(Errc::forbidden,
                    "the person of this device is shut out, and enrolment would refuse it: let them in first (admin "
                    "reinstate --user ADDRESS, as `devices waiting` shows it), then approve");
    return a.approvals.approve(device);
}

Response approve(const Administration& a, const Request& request, const Asker& who) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return http::problem(device.error());
    const auto act = act_of(request, who, "approve", {{"device", to_text(*device)}});
    if (auto ok = noted(a, act, [&] { return approve(a, *device); }); !ok) return http::problem(ok.error());
    return answer({{"device", to_text(*device)}, {"state", "approved"}});
}

Result<std::vector<rights::Meant>> who_waits(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return fail(device.error().code, device.error().detail);
    const auto line = waiting_line(a, *device);
    if (!line) return fail(line.error().code, line.error().detail);
    return std::vector{rights::Meant{line->address, line->unit}};
}

Result<std::vector<rights::Meant>> owner_of(const Administration& a, const Request& request) {
    const auto device = device_from_text(request.param("id"));
    if (!device) return fail(device.error().code, device.error().detail);
    const auto person = a.registry.owner_of(*device);
    if (!person) return fail(Errc::device_unknown);
    return std::vector{rights::Meant{person->address, person->unit}};
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

void add_device_routes(rights::Door& door, const Administration& a) {
    using http::Method;
    using rights::Action;
    const auto owner = [a](const Request& r) { return owner_of(a, r); };
    const auto waiting = [a](const Request& r) { return who_waits(a, r); };
    door.filtered(Method::get, "/v1/admin/devices", Action::see_people,
                  [a](Request& r, const Asker& who) { return list_devices(a, r, who); })
        .filtered(Method::get, "/v1/admin/approvals", Action::see_people,
                  [a](Request&, const Asker& who) { return list_waiting(a, who); })
        .aimed(
            Method::post, "/v1/admin/devices/{id}/approve", Action::approve, waiting,
            [a](Request& r, const Asker& who) { return approve(a, r, who); }, kSmallBody)
        .aimed(Method::get, "/v1/admin/devices/{id}/wipe", Action::see_people, owner,
               [a](Request& r, const Asker&) { return wipe(a, r); });
}

}  // namespace nimes::gateway::admin
