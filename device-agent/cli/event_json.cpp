#include "cli/event_json.hpp"

#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

using engine::Shown;

std::string hex(ByteView id) { return to_hex(id); }

Json devices_json(const std::vector<DeviceId>& devices) {
    auto out = Json::array();
    for (const auto& d : devices) out.push_back(to_text(d));
    return out;
}

Json ref_json(const conversation::MessageRef& ref) {
    return {{"device", to_text(ref.device)}, {"message", hex(ref.message.view())}};
}

// The kind's name, and what only this kind has.
struct Content {
    const Shown& shown;
    Json& out;

    std::string name_of(const UserId& user) const {
        const auto at = shown.names.find(user);
        return at == shown.names.end() ? std::string{} : at->second;
    }
    void life(const conversation::Lifetime& l) const {
        if (shown.message.expires_after_s != 0) out["expires_after_s"] = shown.message.expires_after_s;
        if (l.view_once) out["view_once"] = true;
    }
    void operator()(const conversation::Text& t) const {
        out["kind"] = "text";
        out["text"] = t.text;
        if (t.reply_to) out["reply_to"] = ref_json(*t.reply_to);
        life(t.lifetime);
    }
    void operator()(const conversation::Media& m) const {
        out["kind"] = "media";
        out["caption"] = m.caption;
        Json medium{{"id", hex(m.ref.blob.view())}, {"bytes", m.ref.plain_length},
                    {"type", m.media_type},         {"width", m.width},
                    {"height", m.height},           {"file_name", m.file_name}};
        if (m.duration_ms != 0) medium["duration_ms"] = m.duration_ms;
        if (m.captured != 0) medium["captured_ms"] = m.captured;
        out["media"] = std::move(medium);
        life(m.lifetime);
    }
    void operator()(const conversation::Receipt& r) const {
        out["kind"] = "receipt";
        out["read"] = r.read;
    }
    void operator()(const conversation::Reaction& r) const {
        out["kind"] = "reaction";
        out["emoji"] = r.emoji;
        out["withdrawn"] = r.withdrawn;
    }
    void operator()(const conversation::Edit& e) const {
        out["kind"] = "edit";
        out["text"] = e.text;
    }
    void operator()(const conversation::Delete& d) const {
        out["kind"] = "delete";
        out["recall"] = d.report;
    }
    void operator()(const conversation::EventNotice& e) const {
        out["kind"] = "event";
        out["epoch"] = e.epoch;
    }
    void operator()(const conversation::Info& i) const {
        out["kind"] = "info";
        out["text"] = i.title;
        out["expires_after_s"] = i.expires_after_s;
        if (i.picture) out["picture"] = hex(i.picture->blob.view());
    }
    void operator()(const conversation::Poll& p) const {
        out["kind"] = "poll";
        out["text"] = p.question;
        if (p.ends != 0) out["ends_ms"] = p.ends;
        auto options = Json::array();
        for (std::size_t i = 0; i < p.options.size(); ++i) {
            auto voters = Json::array();
            for (const auto& [user, choices] : shown.face.votes)
                if (std::find(choices.begin(), choices.end(), i) != choices.end()) voters.push_back(name_of(user));
            options.push_back({{"text", p.options[i]}, {"votes", voters.size()}, {"voters", std::move(voters)}});
        }
        out["options"] = std::move(options);
    }
    void operator()(const conversation::Vote& v) const {
        out["kind"] = "vote";
        auto choices = Json::array();
        for (const auto c : v.choices) choices.push_back(c + 1);
        out["choices"] = std::move(choices);
    }
    void operator()(const conversation::RecallReport& r) const {
        out["kind"] = "recall_report";
        out["recalled"] = recalled_name(r.state);
    }
    void operator()(const conversation::Signal&) const { out["kind"] = "typing"; }
    void operator()(const conversation::Position& p) const {
        out["kind"] = "position";
        out["position"] = {{"latitude", static_cast<double>(p.latitude_e7) / 1e7},
                           {"longitude", static_cast<double>(p.longitude_e7) / 1e7}};
        if (p.accuracy_m != 0) out["position"]["accuracy_m"] = p.accuracy_m;
        if (p.taken != 0) out["position"]["taken_ms"] = p.taken;
        out["text"] = p.label;
    }
    void operator()(const conversation::Unknown& u) const {
        out["kind"] = "unknown";
        out["kind_number"] = u.kind;
    }
    static const char* recalled_name(conversation::Recalled state) {
        using conversation::Recalled;
        return state == Recalled::delivered ? "delivered" : state == Recalled::opened ? "opened" : "erased";
    }
    void face() const {
        const auto& f = shown.face;
        if (f.text) out[out.contains("caption") ? "caption" : "text"] = *f.text;
        if (f.edits != 0) out["edits"] = f.edits;
        for (const auto& [user, emoji] : f.reactions)
            out["reactions"].push_back({{"user", hex(user.view())}, {"name", name_of(user)}, {"emoji", emoji}});
        for (const auto& [device, r] : f.receipts)
            out["receipts"].push_back({{"user", hex(r.user.view())},
                                       {"name", name_of(r.user)},
                                       {"device", to_text(device)},
                                       {"read", r.read},
                                       {"at_ms", r.when}});
        for (const auto& [device, state] : f.recalled)
            out["recalled_by"].push_back({{"device", to_text(device)}, {"state", recalled_name(state)}});
    }
};

}  // namespace

Json event_json(const Shown& s) {
    Json out{{"sequence", s.sequence},
             {"message", hex(s.message.id.view())},
             {"from",
              {{"user", hex(s.message.user.view())},
               {"device", to_text(s.message.device)},
               {"name", s.sender},
               {"level", s.level}}},
             {"own", s.own},
             {"conversation", hex(s.message.conversation.view())},
             {"title", s.title},
             {"sent_ms", s.message.sent},
             {"received_ms", s.message.received},
             {"shown_ms", s.shown},
             {"state", engine::name(s.message.state)}};
    const Content content{s, out};
    std::visit(content, s.meaning);
    content.face();
    if (s.recall) out["recall"] = recall_json(*s.recall);
    if (!s.about.empty()) out["about"] = s.about;
    if (s.new_device) out["from"]["new_device"] = true;
    if (s.message.resent) out["resent"] = true;
    if (!s.message.attested_by.is_zero()) out["imported"] = {{"attested_by", to_text(s.message.attested_by)}};
    if (s.message.missing_before != ByteArray<16>{}) out["missing_before"] = true;
    return out;
}

Json recall_json(const engine::RecallCount& count) {
    return {{"devices", count.devices},
            {"delivered", count.delivered},
            {"opened", count.opened},
            {"erased", count.erased},
            {"unreachable", count.unreachable}};
}

Json sent_json(const engine::SentMessage& sent) {
    return {{"message", hex(sent.id.view())},
            {"sequence", sent.sequence},
            {"devices", devices_json(sent.devices)},
            {"stale", devices_json(sent.stale)},
            {"accepted", sent.accepted}};
}

Json person_json(const directory::PersonInfo& p) {
    return {{"user", hex(p.user.view())}, {"name", p.name}, {"rank", p.rank}, {"unit", p.unit}, {"address", p.address}};
}

void trust_json(Json& into, const directory::PersonTrust& trust) {
    into["level"] = trust.level;
    if (trust.new_devices != 0) into["new_devices"] = trust.new_devices;
}

Json device_json(const engine::PersonDevice& d) {
    Json out{{"device", to_text(d.device)},
             {"state", d.state},
             {"platform", d.platform},
             {"self", d.self},
             {"stale", d.stale},
             {"level", d.trust.level}};
    if (d.trust.is_new) out["new"] = true;
    return out;
}

Json alarm_json(const engine::Alarm& alarm) {
    Json out{{"kind", "alarm"}, {"text", alarm.text}, {"raised_ms", alarm.raised}};
    if (alarm.device) out["device"] = to_text(*alarm.device);
    return out;
}

namespace {

Json members_json(const std::vector<engine::GroupMember>& members) {
    auto out = Json::array();
    for (const auto& m : members)
        out.push_back({{"user", hex(m.user.view())},
                       {"name", m.name},
                       {"role", m.role == MemberRole::administrator ? "administrator"
                                : m.role == MemberRole::poster      ? "poster"
                                                                    : "reader"}});
    return out;
}

}  // namespace

Json group_json(const engine::GroupDetails& g) {
    Json out{{"conversation", hex(g.line.id.view())},
             {"title", g.line.title},
             {"epoch", g.epoch},
             {"closed", g.line.closed},
             {"forked", g.forked},
             {"expires_after_s", g.expires_after_s},
             {"members", members_json(g.members)}};
    if (!g.doubted.members.empty())
        out["doubted"] = {{"members", members_json(g.doubted.members)},
                          {"state", hex(g.doubted.state.view())},
                          {"closed", g.doubted.closed},
                          {"may_confirm", g.doubted.may_confirm}};
    if (g.newer_epoch != 0) out["newer_epoch"] = g.newer_epoch;
    if (!g.picture.is_zero()) out["picture"] = hex(g.picture.view());
    return out;
}

}  // namespace nimes::agent::cli
