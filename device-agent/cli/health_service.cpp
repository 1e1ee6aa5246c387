// Verbs about the connection itself: doctor, network changed, wake.
#include "cli/arguments.hpp"
#include "cli/engine_service.hpp"

namespace nimes::agent::cli {
namespace {

Json finding_json(const engine::Finding& f) {
    Json out{{"check", f.check}, {"verdict", engine::name(f.verdict)}, {"what", f.what}};
    if (!f.next.empty()) out["next"] = f.next;
    if (f.code) out["code"] = row(*f.code).name;
    return out;
}

}  // namespace

// Answered behind a lock, too: why it does not open is what is asked then.
Result<Json> EngineService::doctor(const Json& a, const Emit& emit, const std::stop_token& stop) {
    const auto use = agent_->use();
    const auto report = agent_->examine(number(a, "wait_ms", kDefaultWait), stop);
    Json out{{"healthy", true}, {"recent", Json::array()}};
    for (const auto& finding : report.findings) {
        emit(finding_json(finding));
        if (finding.verdict == engine::Verdict::bad) out["healthy"] = false;
    }
    for (const auto& line : report.recent) out["recent"].push_back({{"at_ms", line.at}, {"text", line.text}});
    return out;
}

std::optional<Result<Json>> EngineService::health_verb(const Request& r) {
    const auto& a = r.arguments;
    if (r.verb == "network.changed") {
        if (auto ok = agent_->network_changed(text(a, "name")); !ok) return Result<Json>(pass(ok));
        return Json::object();
    }
    if (r.verb != "wake.register" && r.verb != "wake.off") return std::nullopt;
    const auto url = r.verb == "wake.off" ? std::string{} : text(a, "url");
    if (r.verb == "wake.register" && url.empty())
        return Result<Json>(fail(Errc::usage, "an endpoint is https://host/path"));
    if (auto ok = agent_->wake(url); !ok) return Result<Json>(pass(ok));
    return Json{{"wake", !url.empty()}};
}

}  // namespace nimes::agent::cli
