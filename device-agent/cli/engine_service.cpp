#include "cli/engine_service.hpp"

#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

constexpr Millis kDefaultWait = 20 * kSecond;
constexpr Millis kWatchPause = 5 * kSecond;
constexpr std::size_t kPage = 200;

std::string text(const Json& a, const char* name) {
    const auto at = a.find(name);
    return at != a.end() && at->is_string() ? at->get<std::string>() : std::string{};
}
std::uint64_t number(const Json& a, const char* name, std::uint64_t otherwise) {
    const auto at = a.find(name);
    return at != a.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : otherwise;
}

Json devices_json(const std::vector<DeviceId>& devices) {
    auto out = Json::array();
    for (const auto& d : devices) out.push_back(to_text(d));
    return out;
}

Json person_json(const directory::PersonInfo& p) {
    return {
        {"user", to_hex(p.user.view())}, {"name", p.name}, {"rank", p.rank}, {"unit", p.unit}, {"address", p.address}};
}

std::string_view kind_name(const conversation::Meaning& meaning) {
    struct Name {
        std::string_view operator()(const conversation::Text&) const { return "text"; }
        std::string_view operator()(const conversation::Media&) const { return "media"; }
        std::string_view operator()(const conversation::Receipt&) const { return "receipt"; }
        std::string_view operator()(const conversation::Reaction&) const { return "reaction"; }
        std::string_view operator()(const conversation::Edit&) const { return "edit"; }
        std::string_view operator()(const conversation::Delete&) const { return "delete"; }
        std::string_view operator()(const conversation::EventNotice&) const { return "event"; }
        std::string_view operator()(const conversation::Info&) const { return "info"; }
        std::string_view operator()(const conversation::Poll&) const { return "poll"; }
        std::string_view operator()(const conversation::Vote&) const { return "vote"; }
        std::string_view operator()(const conversation::RecallReport&) const { return "recall_report"; }
        std::string_view operator()(const conversation::Signal&) const { return "typing"; }
        std::string_view operator()(const conversation::Position&) const { return "position"; }
        std::string_view operator()(const conversation::Unknown&) const { return "unknown"; }
    };
    return std::visit(Name{}, meaning);
}

Json event_json(const engine::Shown& s) {
    Json out{{"sequence", s.sequence},
             {"from",
              {{"user", to_hex(s.message.user.view())},
               {"device", to_text(s.message.device)},
               {"name", s.sender},
               {"level", s.level}}},
             {"own", s.own},
             {"conversation", to_hex(s.message.conversation.view())},
             {"title", s.title},
             {"kind", kind_name(s.meaning)},
             {"sent_ms", s.message.sent},
             {"received_ms", s.message.received},
             {"shown_ms", s.shown},
             {"state", engine::name(s.message.state)}};
    if (const auto* t = std::get_if<conversation::Text>(&s.meaning)) out["text"] = t->text;
    if (const auto* i = std::get_if<conversation::Info>(&s.meaning)) out["text"] = i->title;
    if (const auto* m = std::get_if<conversation::Media>(&s.meaning)) {
        out["caption"] = m->caption;
        out["media"] = {{"id", to_hex(m->ref.blob.view())},
                        {"bytes", m->ref.plain_length},
                        {"type", m->media_type},
                        {"width", m->width},
                        {"height", m->height},
                        {"file_name", m->file_name}};
        if (m->captured != 0) out["media"]["captured_ms"] = m->captured;
    }
    return out;
}

Json sent_json(const engine::SentMessage& sent) {
    return {{"message", to_hex(sent.id.view())},
            {"sequence", sent.sequence},
            {"devices", devices_json(sent.devices)},
            {"stale", devices_json(sent.stale)},
            {"accepted", sent.accepted}};
}

// Whom else it could have been, so that the person can say it better.
template <class T>
Result<T> with_candidates(Result<T> result, const engine::Candidates& candidates, const Emit& emit) {
    if (!result)
        for (const auto& person : candidates) emit({{"candidate", person_json(person)}});
    return result;
}

media::Progress progress_to(const Emit& emit) {
    return [&emit](std::uint64_t done, std::uint64_t total) {
        emit({{"progress", {{"done", done}, {"total", total}}}});
    };
}

}  // namespace

Result<Json> EngineService::call(const Request& r, const Emit& emit, const std::stop_token& stop) {
    const auto& a = r.arguments;
    if (r.verb == "enrol") return enrol(a);
    if (r.verb == "people") return people(a, emit);
    if (r.verb == "send") return send(r, emit, stop);
    if (r.verb == "group.create") return group_create(a, emit);
    if (r.verb == "group.list") return group_list(emit);
    if (r.verb == "inbox") return inbox(a, emit, stop);
    if (r.verb == "watch") return watch(a, emit, stop);
    if (r.verb == "media.get") return media_get(a, emit, stop);
    if (r.verb == "devices.list") return devices_list(emit);
    if (r.verb == "devices.pending") return devices_pending(emit);
    if (r.verb == "devices.vouch") return vouch(a);
    if (r.verb == "status") return status();
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
    for (const auto& person : *found) emit(person_json(person));
    if (found->empty()) return fail(Errc::not_found, "nobody of that name or address");
    return Json{{"count", found->size()}};
}

Result<Json> EngineService::send(const Request& r, const Emit& emit, const std::stop_token& stop) {
    const auto& a = r.arguments;
    const auto id = id_from_hex<MessageId>(r.id);
    if (!id) return fail(Errc::usage, "a request's id has 32 hex digits");
    const auto wait = number(a, "wait_ms", kDefaultWait);
    engine::Candidates candidates;
    if (!a.contains("photo")) {
        auto sent =
            with_candidates(agent_->send_text(text(a, "to"), text(a, "text"), *id, wait, candidates), candidates, emit);
        if (!sent) return pass(sent);
        return sent_json(*sent);
    }
    auto sent = with_candidates(agent_->send_photo(text(a, "to"), text(a, "photo"), text(a, "caption"), *id, wait,
                                                   progress_to(emit), stop, candidates),
                                candidates, emit);
    if (!sent) return pass(sent);
    auto out = sent_json(sent->message);
    out["media"] = {{"id", to_hex(sent->blob.view())},
                    {"sha256", to_hex(sent->sha256.view())},
                    {"bytes", sent->bytes},
                    {"stripped", sent->stripped}};
    return out;
}

Result<Json> EngineService::group_create(const Json& a, const Emit& emit) {
    engine::Candidates candidates;
    std::vector<std::string> with;
    for (const auto& who : a.value("with", Json::array()))
        if (who.is_string()) with.push_back(who.get<std::string>());
    auto made = with_candidates(
        agent_->create_group(text(a, "title"), with, number(a, "wait_ms", kDefaultWait), candidates), candidates, emit);
    if (!made) return pass(made);
    return Json{{"conversation", to_hex(made->id.view())}, {"title", made->title}, {"members", made->members}};
}

Result<Json> EngineService::group_list(const Emit& emit) {
    const auto groups = agent_->groups();
    for (const auto& g : groups)
        emit({{"conversation", to_hex(g.id.view())}, {"title", g.title}, {"members", g.members}});
    return Json{{"count", groups.size()}};
}

Result<std::uint64_t> EngineService::show_new(std::uint64_t after, const Emit& emit) {
    for (;;) {
        const auto messages = agent_->messages(after, kPage);
        if (!messages) return fail(messages.error().code, messages.error().detail);
        for (const auto& m : *messages) {
            after = m.sequence;
            if (!std::holds_alternative<conversation::Receipt>(m.meaning)) emit(event_json(m));
        }
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
    const auto shown = show_new(number(a, "since", 0), counted);
    if (!shown) return fail(shown.error().code, shown.error().detail);
    return Json{{"count", count}, {"synced", synced}};
}

Result<Json> EngineService::watch(const Json& a, const Emit& emit, const std::stop_token& stop) {
    if (auto ok = agent_->go_online(); !ok) return pass(ok);
    auto after = number(a, "since", 0);
    std::uint64_t alarmed = 0;
    while (!stop.stop_requested()) {
        const auto shown = show_new(after, emit);
        if (!shown) return fail(shown.error().code, shown.error().detail);
        after = *shown;
        if (const auto alarms = agent_->alarms(alarmed))
            for (const auto& alarm : *alarms) {
                alarmed = alarm.sequence;
                emit({{"kind", "alarm"}, {"text", alarm.text}, {"raised_ms", alarm.raised}});
            }
        (void)agent_->wait_message(after, kWatchPause, stop);
    }
    return Json::object();
}

Result<Json> EngineService::media_get(const Json& a, const Emit& emit, const std::stop_token& stop) {
    const auto blob = id_from_hex<BlobId>(text(a, "id"));
    if (!blob) return fail(Errc::usage, "a medium's id has 32 hex digits");
    const auto out = text(a, "out");
    const auto got = agent_->fetch_media(*blob, out, progress_to(emit), stop);
    if (!got) return fail(got.error().code, got.error().detail);
    Json answer{{"id", to_hex(blob->view())}, {"bytes", got->bytes}, {"sha256", to_hex(got->sha256.view())}};
    if (!out.empty()) answer["file"] = out;
    return answer;
}

Result<Json> EngineService::devices_list(const Emit& emit) {
    const auto devices = agent_->devices();
    if (!devices) return fail(devices.error().code, devices.error().detail);
    for (const auto& d : *devices)
        emit({{"device", to_text(d.device)}, {"state", d.state}, {"platform", d.platform}, {"self", d.self}});
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

Result<Json> EngineService::status() {
    const auto s = agent_->status();
    Json out{{"enrolled", s.enrolled},
             {"connected", s.connected},
             {"synced", s.synced},
             {"address", s.address},
             {"directory_revision", s.directory_revision},
             {"outbox", s.outbox}};
    if (s.device) out["device"] = to_text(*s.device);
    if (s.user) out["user"] = to_hex(s.user->view());
    if (s.shut_out) out["shut_out"] = row(*s.shut_out).name;
    return out;
}

}  // namespace nimes::agent::cli
