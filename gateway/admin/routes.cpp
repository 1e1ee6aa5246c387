#include "admin/routes.hpp"

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
    if (auto ok = note(a, "org create", {{"domain", *domain}}); !ok) return http::problem(ok.error());
    if (auto ok = a.organisation.create(*name, *domain); !ok) return http::problem(ok.error());
    return answer({{"name", *name}, {"domains", a.organisation.rules().domains}}, 201);
}

Response create_unit(const Administration& a, const Request& request) {
    const auto name = field(request, "name");
    if (!name) return http::problem(name.error());
    if (auto ok = note(a, "unit create", {{"name", *name}}); !ok) return http::problem(ok.error());
    if (auto ok = a.organisation.add_unit(*name); !ok) return http::problem(ok.error());
    return answer({{"name", *name}}, 201);
}

Response import_roster(const Administration& a, const Request& request) {
    if (!a.organisation.exists()) return http::problem(Errc::not_found, "create the organisation first");
    const auto people = parse_roster(as_text(request.body), a.organisation.rules());
    if (!people) return http::problem(people.error());
    const auto* dry = request.query_value("dry_run");
    std::size_t count[3] = {};
    if (dry == nullptr) {
        if (auto ok = note(a, "roster import", {{"people", people->size()}}); !ok) return http::problem(ok.error());
        for (const auto& person : *people) {
            const auto change = a.registry.put_person(person);
            if (!change) return http::problem(change.error());  // repeating the import goes on where this one ended
            ++count[static_cast<std::size_t>(*change)];
        }
    }
    return answer({{"people", people->size()},
                   {"dry_run", dry != nullptr},
                   {"added", count[0]},
                   {"changed", count[1]},
                   {"unchanged", count[2]}});
}

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
    if (auto ok = note(a, suspended ? "suspend" : "resume", {{"device", to_text(*device)}}); !ok)
        return http::problem(ok.error());
    const auto done = suspended ? a.registry.suspend(*device) : a.registry.resume(*device);
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
    if (auto ok = note(a, "approve", {{"device", to_text(*device)}}); !ok) return http::problem(ok.error());
    if (auto ok = a.approvals.approve(*device); !ok) return http::problem(ok.error());
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
    if (auto ok = note(a, "revoke", {{"device", to_text(*device)}, {"reason", *text}}); !ok)
        return http::problem(ok.error());
    if (auto ok = a.registry.revoke(*device, *reason); !ok) return http::problem(ok.error());
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

void add_routes(http::Router& router, const Administration& a) {
    using http::Access;
    using http::Method;
    router.add({Method::post, "/v1/admin/org", [a](Request& r) { return create_org(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/units", [a](Request& r) { return create_unit(a, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/admin/roster", [a](Request& r) { return import_roster(a, r); }, Access::open,
              kMaxRosterBytes})
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
    add_group_routes(router, a);
}

}  // namespace nimes::gateway::admin
