// The verbs of a history, answered by the engine.
#include "cli/arguments.hpp"
#include "cli/engine_service.hpp"
#include "cli/event_json.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

constexpr std::uint64_t kMostDays = 90;

// `device`: the other one, seen from here.
Json code_json(const engine::HistoryPeer& peer, const DeviceId& other) {
    return {{"device", to_text(other)}, {"code", peer.code}, {"qr", "nimes-history:" + to_base32(peer.full.view())}};
}

}  // namespace

std::optional<Result<Json>> EngineService::history_verb(const Request& r, const Emit& emit,
                                                        const std::stop_token& stop) {
    if (!r.verb.starts_with("history.")) return std::nullopt;
    const auto& a = r.arguments;
    const media::Progress progress = [&emit](std::uint64_t done, std::uint64_t total) {
        emit({{"progress", {{"done", done}, {"total", total}}}});
    };
    if (r.verb == "history.take") {
        if (text(a, "code").empty()) return history_codes(emit);
        const auto taken = agent_->take_history(text(a, "code"), number(a, "wait_ms", kDefaultWait), progress, stop);
        if (!taken) return fail(taken.error().code, taken.error().detail);
        return Json{{"device", to_text(taken->from)},
                    {"conversations", taken->conversations},
                    {"imported", taken->imported},
                    {"left_out", taken->left_out}};
    }
    const auto device = device_from_text(text(a, "device"));
    if (!device) return fail(Errc::usage, "a device has 26 characters");
    if (r.verb == "history.code") {
        const auto peer = agent_->history_code_for(*device);
        if (!peer) return fail(peer.error().code, peer.error().detail);
        return code_json(*peer, peer->new_device);
    }
    if (r.verb != "history.offer") return std::nullopt;
    const auto days = static_cast<std::uint32_t>(std::min(number(a, "days", 0), kMostDays));
    const auto offered =
        agent_->offer_history(*device, text(a, "code"), days, number(a, "wait_ms", kDefaultWait), progress, stop);
    if (!offered) return fail(offered.error().code, offered.error().detail);
    return Json{{"device", to_text(*device)},
                {"conversations", offered->conversations},
                {"messages", offered->messages},
                {"cut", offered->cut},
                {"accepted", offered->accepted}};
}

Result<Json> EngineService::history_codes(const Emit& emit) {
    const auto peers = agent_->history_codes();
    if (!peers) return fail(peers.error().code, peers.error().detail);
    for (const auto& peer : *peers) {
        auto line = code_json(peer, peer.old_device);
        line["offered"] = peer.offered;
        emit(line);
    }
    return Json{{"count", peers->size()}};
}

}  // namespace nimes::agent::cli
