#include "engine/view.hpp"

#include "engine/trust.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;

void add_face(const Core& core, Shown& out) {
    const auto name = [&](const UserId& user) { out.names.emplace(user, name_of(core, user)); };
    for (const auto& [user, emoji] : out.face.reactions) name(user);
    for (const auto& [user, choices] : out.face.votes) name(user);
    for (const auto& [device, receipt] : out.face.receipts) name(receipt.user);
}

void ask_about(Alarm& alarm, const DeviceId& device) {
    alarm.device = device;
    alarm.text += "; if it is yours: nimes-agent devices confirm " + to_text(device) +
                  "; if not: nimes-agent devices revoke " + to_text(device);
}

Result<Shown> show(Core& core, container::Transaction& tx, std::uint64_t row, StoredMessage message) {
    Shown out;
    out.sequence = row;
    out.sender = name_of(core, message.user);
    const auto* entry = core.directory->find(message.user);
    if (entry != nullptr) {
        const auto trust = trust_of(core, *entry, message.device);
        out.level = trust.level;
        out.new_device = trust.is_new;
    }
    out.own = message.user == core.own().user;
    out.shown = core.clock.now();
    if (const auto at = core.conversations.find(message.conversation); at != core.conversations.end())
        out.title = title_of(core, at->second);
    else if (const auto told = core.infos.find(message.conversation); told != core.infos.end())
        out.title = told->second.title;  // of a group that this device only has a history of
    out.meaning = conversation::Unknown{message.kind};
    const bool has_body = message.state != MessageState::unreadable && !message.body.empty();
    if (has_body)
        if (auto meaning = conversation::decode(message.kind, message.body)) out.meaning = std::move(*meaning);
    auto face = Acts(core).face(tx, message, out.meaning);
    if (!face) return pass(face);
    out.face = std::move(*face);
    add_face(core, out);
    if (out.face.report_to.contains(core.own().user)) out.recall = count_recall(core, message, out.face);
    for (const auto& target : conversation::targets_of(message.device, out.meaning)) {
        auto named = find_message(tx, target.device, target.message);
        if (!named) return pass(named);
        if (*named) out.about.push_back((*named)->row);
    }
    out.message = std::move(message);
    return out;
}

}  // namespace

std::string name_of(const Core& core, const UserId& user) {
    const auto* entry = core.directory->find(user);
    return entry != nullptr && entry->person ? entry->person->name : std::string{};
}

std::string title_of(const Core& core, const conversation::ConversationState& state) {
    if (!state.is_pair()) {
        const auto at = core.infos.find(state.id);
        return at == core.infos.end() ? std::string{} : at->second.title;
    }
    const auto& other = state.pair[0] == core.own().user ? state.pair[1] : state.pair[0];
    return name_of(core, other);
}

Result<std::vector<Shown>> messages_after(Core& core, std::uint64_t sequence, std::size_t limit) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto rows = tx->scan(Table::messages, sequence + 1, limit);
    if (!rows) return pass(rows);
    std::vector<Shown> out;
    for (const auto& row : *rows) {
        auto message = StoredMessage::parse(row.value);
        if (!message) return pass(message);
        if (message->state == MessageState::withheld) continue;
        auto shown = show(core, *tx, row.id, std::move(*message));
        if (!shown) return pass(shown);
        out.push_back(std::move(*shown));
    }
    return out;
}

Result<Shown> message_shown(Core& core, std::uint64_t sequence) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto row = message_at(*tx, sequence);
    if (!row) return pass(row);
    if (!*row || (*row)->message.state == MessageState::withheld)
        return fail(Errc::not_found, "no message has this number");
    return show(core, *tx, sequence, std::move((*row)->message));
}

Result<std::vector<Alarm>> alarms_after(Core& core, std::uint64_t sequence) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto rows = tx->scan(Table::alarms, sequence + 1);
    if (!rows) return pass(rows);
    std::vector<Alarm> out;
    for (const auto& row : *rows) {
        Reader in(row.value);
        const auto raised = in.u64();
        out.push_back({row.id, raised, std::string(as_text(in.take(in.left()))), {}});
        for (const auto& [device, alarm] : core.own_alarms)
            if (alarm == row.id) ask_about(out.back(), device);
    }
    return out;
}

Result<std::vector<Alarm>> open_alarms(Core& core) {
    if (core.own_alarms.empty()) return std::vector<Alarm>{};
    auto out = alarms_after(core, 0);
    if (out) std::erase_if(*out, [](const Alarm& alarm) { return !alarm.device; });
    return out;
}

}  // namespace nimes::agent::engine
