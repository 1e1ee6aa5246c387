#include "cli/engine_service.hpp"

#include "cli/arguments.hpp"
#include "cli/event_json.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

constexpr Millis kWatchPause = 5 * kSecond;
constexpr std::size_t kPage = 200;
constexpr Millis kSettle = 10 * kSecond;

media::Progress progress_to(const Emit& emit) {
    return [&emit](std::uint64_t done, std::uint64_t total) {
        emit({{"progress", {{"done", done}, {"total", total}}}});
    };
}

// A medium, piece by piece with its place among them.
media::Sink pieces_to(const Emit& emit) {
    return [&emit, at = std::uint64_t{0}](ByteView piece) mutable -> Result<void> {
        emit({{"data", to_base64url(piece)}, {"at", at}});
        at += piece.size();
        return {};
    };
}

}  // namespace

Result<Json> EngineService::call(const Request& r, const Emit& emit, const std::stop_token& stop) {
    const auto& a = r.arguments;
    if (r.verb == "enrol") return enrol(a);
    if (r.verb == "status") return status();
    if (r.verb == "lock") return lock();
    if (r.verb == "watch") return watch(a, emit, stop);
    if (r.verb == "doctor") return doctor(a, emit, stop);
    const auto use = agent_->use();
    if (!use) return fail(use.error().code, use.error().detail);
    if (r.verb == "people") return people(a, emit);
    if (auto said = say_verb(r, emit, stop)) return std::move(*said);
    if (auto done = group_verb(r, emit)) return std::move(*done);
    if (auto done = trust_verb(r, emit, stop)) return std::move(*done);
    if (auto done = history_verb(r, emit, stop)) return std::move(*done);
    if (auto done = health_verb(r)) return std::move(*done);
    if (r.verb == "inbox") return inbox(a, emit, stop);
    if (r.verb == "show") return show(a);
    if (r.verb == "media.get") return media_get(a, emit, stop);
    if (r.verb == "media.view") return media_view(a, emit, stop);
    if (r.verb == "devices.list") return devices_list(a, emit);
    if (r.verb == "devices.pending") return devices_pending(emit);
    if (r.verb == "devices.vouch") return vouch(a);
    if (r.verb != "token") return fail(Errc::usage, "no such verb");
    auto token = agent_->token(text(a, "audience"));
    if (!token) return pass(token);
    return Json{{"token", *token}};
}

Result<Json> EngineService::enrol(const Json& a) {
    const auto file = from_hex(text(a, "provisioning"));
    if (!file) return fail(Errc::usage, "the provisioning file");
    const auto done = agent_->enrol(*file, text(a, "address"), text(a, "code"));
    if (!done) return fail(done.error().code, done.error().detail);
    if (*done == engine::Agent::Enrolled::code_sent) return Json{{"state", "code_sent"}};
    return Json{{"state", "enrolled"}, {"device", to_text(*agent_->status().device)}};
}

Result<Json> EngineService::people(const Json& a, const Emit& emit) {
    const auto found = agent_->people(text(a, "query"));
    if (!found) return fail(found.error().code, found.error().detail);
    for (const auto& person : *found) {
        auto line = person_json(person);
        trust_json(line, agent_->trust(person.user));
        emit(line);
    }
    if (found->empty()) return fail(Errc::not_found, "nobody of that name or address");
    return Json{{"count", found->size()}};
}

// Pages of what is new go out; then it counts as shown, and, unless the person only peeks, as read.
Result<std::uint64_t> EngineService::show_new(std::uint64_t after, bool peek, const Emit& emit) {
    for (;;) {
        const auto messages = agent_->messages(after, kPage);
        if (!messages) return fail(messages.error().code, messages.error().detail);
        std::vector<std::uint64_t> seen;
        for (const auto& m : *messages) {
            after = m.sequence;
            if (std::holds_alternative<conversation::Receipt>(m.meaning)) continue;
            emit(event_json(m));
            if (!m.own) seen.push_back(m.sequence);
        }
        if (!peek && !seen.empty())
            if (auto ok = agent_->mark_shown(seen, true); !ok) return pass(ok);
        if (messages->size() < kPage) return after;
    }
}

Result<Json> EngineService::inbox(const Json& a, const Emit& emit, const std::stop_token& stop) {
    const auto wait = number(a, "wait_ms", 0);
    bool synced = false;
    if (wait > 0) {
        if (auto ok = agent_->go_online(); !ok) return pass(ok);
        synced = agent_->wait_synced(wait, stop);
    }
    std::size_t count = 0;
    const Emit counted = [&](const Json& line) {
        ++count;
        emit(line);
    };
    for (const auto& alarm : agent_->status().alarms) emit(alarm_json(alarm));
    const auto shown = show_new(number(a, "since", 0), flag(a, "peek"), counted);
    if (!shown) return fail(shown.error().code, shown.error().detail);
    // The senders hear that it came, and was read, before this process may end.
    if (synced) (void)agent_->wait_quiet(kSettle, stop);
    return Json{{"count", count}, {"synced", synced}};
}

// A locked home is told of once; watching goes on when somebody unlocks it.
Result<void> EngineService::wait_unlocked(const Emit& emit, const std::stop_token& stop) {
    for (bool told = false; !agent_->wait_open(told ? kWatchPause : 0, stop) && !stop.stop_requested(); told = true) {
        const auto locking = agent_->locking();
        if (locking.state == "wiped") return fail(Errc::not_enrolled);
        if (!told) emit({{"kind", "locked"}, {"state", locking.state}, {"why", locking.why}});
    }
    return {};
}

Result<Json> EngineService::lock() {
    if (auto ok = agent_->lock(); !ok) return pass(ok);
    return Json{{"state", agent_->locking().state}};
}

Result<Json> EngineService::watch(const Json& a, const Emit& emit, const std::stop_token& stop) {
    if (auto ok = agent_->go_online(); !ok) return pass(ok);
    auto after = number(a, "since", 0);
    std::uint64_t alarmed = 0;
    std::set<std::string> typing;
    while (!stop.stop_requested()) {
        if (auto ok = wait_unlocked(emit, stop); !ok) return pass(ok);
        if (stop.stop_requested()) break;
        const auto shown = show_new(after, flag(a, "peek"), emit);
        if (!shown && shown.error().code == Errc::locked) continue;  // between two looks
        if (!shown) return fail(shown.error().code, shown.error().detail);
        after = *shown;
        if (const auto alarms = agent_->alarms(alarmed))
            for (const auto& alarm : *alarms) {
                alarmed = alarm.sequence;
                emit(alarm_json(alarm));
            }
        std::set<std::string> now;
        for (const auto& t : agent_->typing_now()) {
            if (!typing.contains(t.title + t.name))
                emit({{"kind", "typing"},
                      {"conversation", to_hex(t.conversation.view())},
                      {"title", t.title},
                      {"name", t.name}});
            now.insert(t.title + t.name);
        }
        typing = std::move(now);
        (void)agent_->wait_message(after, kWatchPause, stop);
    }
    return Json::object();
}

Result<Json> EngineService::show(const Json& a) {
    const auto shown = agent_->message(number(a, "sequence", 0));
    if (!shown) return fail(shown.error().code, shown.error().detail);
    return event_json(*shown);
}

Result<Json> EngineService::media_get(const Json& a, const Emit& emit, const std::stop_token& stop) {
    const auto blob = id_from_hex<BlobId>(text(a, "id"));
    if (!blob) return fail(Errc::usage, "a medium's id has 32 hex digits");
    const auto out = text(a, "out");
    const bool stream = flag(a, "stream");
    const auto use = stream || !out.empty() ? engine::MediaUse::save : engine::MediaUse::fetch;
    const auto got =
        agent_->fetch_media(*blob, use, out, stream ? pieces_to(emit) : media::Sink(), progress_to(emit), stop);
    if (!got) return fail(got.error().code, got.error().detail);
    Json answer{{"id", to_hex(blob->view())}, {"bytes", got->bytes}, {"sha256", to_hex(got->sha256.view())}};
    if (!out.empty()) answer["file"] = out;
    return answer;
}

Result<Json> EngineService::media_view(const Json& a, const Emit& emit, const std::stop_token& stop) {
    const auto blob = id_from_hex<BlobId>(text(a, "id"));
    if (!blob) return fail(Errc::usage, "a medium's id has 32 hex digits");
    Json answer{{"id", to_hex(blob->view())}};
    if (!a.contains("from")) {
        const auto got =
            agent_->fetch_media(*blob, engine::MediaUse::show, {}, pieces_to(emit), progress_to(emit), stop);
        if (!got) return fail(got.error().code, got.error().detail);
        answer["bytes"] = got->bytes;
        answer["sha256"] = to_hex(got->sha256.view());
        return answer;
    }
    std::uint64_t bytes = 0;
    const auto show = pieces_to(emit);
    const media::Part part{number(a, "from", 0), number(a, "length", 0)};
    const auto shown = agent_->show_part(
        *blob, part,
        [&](ByteView piece) {
            bytes += piece.size();
            return show(piece);
        },
        stop);
    if (!shown) return fail(shown.error().code, shown.error().detail);
    answer["bytes"] = bytes;
    return answer;
}

Result<Json> EngineService::devices_list(const Json& a, const Emit& emit) {
    engine::Candidates candidates;
    const auto devices = with_candidates(agent_->devices(text(a, "person"), candidates), candidates, emit);
    if (!devices) return fail(devices.error().code, devices.error().detail);
    for (const auto& d : *devices) emit(device_json(d));
    return Json{{"count", devices->size()}};
}

Result<Json> EngineService::devices_pending(const Emit& emit) {
    const auto devices = agent_->pending_devices();
    if (!devices) return fail(devices.error().code, devices.error().detail);
    for (const auto& d : *devices)
        emit({{"device", to_text(d.device)}, {"platform", d.platform}, {"not_before_ms", d.not_before}});
    return Json{{"count", devices->size()}};
}

Result<Json> EngineService::vouch(const Json& a) {
    const auto device = device_from_text(text(a, "device"));
    if (!device) return fail(Errc::usage, "a device has 26 characters");
    if (auto ok = agent_->vouch(*device); !ok) return pass(ok);
    return Json{{"device", to_text(*device)}};
}

namespace {

Json rules_json(const engine::ContentRules& rules) {
    return {{"export_allowed", rules.export_allowed},
            {"viewer_allowed", rules.viewer_allowed},
            {"history_allowed", rules.history_allowed}};
}

// What policy says, with what of it counts in this person's unit.
Json policy_json(const engine::Policy& policy, const engine::ContentRules& here) {
    auto out = rules_json(here);
    out.update({{"serial", policy.serial},
                {"retention_days", policy.retention / kDay},
                {"offline_grace_minutes", policy.lease.grace / kMinute},
                {"restart_without_network", policy.lease.survives_restart},
                {"lock_after_seconds", policy.lock_after / kSecond},
                {"device_hold_seconds", policy.device_hold / kSecond},
                {"private_devices_allowed", policy.private_devices_allowed},
                {"further_device", policy.further_by_approval ? "approval" : "voucher"},
                {"minimum_agent", policy.minimum_agent}});
    if (policy.since != 0) out["since_ms"] = policy.since;
    if (!policy.pilot_units.empty()) {
        out["pilot"] = rules_json(policy.pilot);
        out["pilot"]["units"] = policy.pilot_units;
    }
    return out;
}

}  // namespace

Result<Json> EngineService::status() {
    const auto s = agent_->status();
    Json out{{"enrolled", s.enrolled},
             {"connected", s.connected},
             {"synced", s.synced},
             {"address", s.address},
             {"directory_revision", s.directory_revision},
             {"outbox", s.outbox},
             {"held", s.held},
             {"undecryptable",
              {{"damaged", s.failures.damaged},
               {"unreadable", s.failures.unreadable},
               {"refused", s.failures.refused},
               {"lost", s.failures.lost}}}};
    out["seal_keys"] = {{"batch", s.seal_batch}, {"one_time", s.one_time_keys}};
    out["stuck"] = Json::array();
    for (const auto& stuck : s.stuck)
        out["stuck"].push_back({{"items", stuck.items},
                                {"code", stuck.error.row().name},
                                {"text", stuck.error.row().title},
                                {"hint", stuck.error.row().hint}});
    out["owed"] = Json::array();
    for (const auto& o : s.owed)
        out["owed"].push_back(
            {{"conversation", to_hex(o.conversation.view())}, {"title", o.title}, {"reason", o.reason}});
    out["alarms"] = Json::array();
    for (const auto& alarm : s.alarms) out["alarms"].push_back(alarm_json(alarm));
    if (s.device) out["device"] = to_text(*s.device);
    if (s.user) out["user"] = to_hex(s.user->view());
    const auto locking = agent_->locking();
    out["lock"] = {{"state", locking.state}, {"share", locking.share}, {"wrong_tries", locking.wrong_tries}};
    if (!locking.why.empty()) out["lock"]["why"] = locking.why;
    if (locking.lease_left) out["lock"]["lease_left_ms"] = *locking.lease_left;
    out["version"] = s.version;
    if (s.policy) out["policy"] = policy_json(*s.policy, s.rules);
    if (s.policy_refused) out["policy_refused"] = s.policy_refused->text();
    if (s.outdated) out["outdated"] = true;
    if (s.shut_out) out["shut_out"] = row(*s.shut_out).name;
    return out;
}

}  // namespace nimes::agent::cli
