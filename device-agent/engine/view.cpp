#include "engine/view.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;

std::string name_of(const Core& core, const UserId& user) {
    const auto* entry = core.directory->find(user);
    return entry != nullptr && entry->person ? entry->person->name : std::string{};
}

Shown show(const Core& core, std::uint64_t row, StoredMessage message) {
    Shown out;
    out.sequence = row;
    out.sender = name_of(core, message.user);
    const auto* entry = core.directory->find(message.user);
    out.level = entry == nullptr ? 0 : entry->person ? 2 : 1;
    out.own = message.device == core.own().device;
    out.shown = core.clock.now();
    if (const auto at = core.conversations.find(message.conversation); at != core.conversations.end())
        out.title = title_of(core, at->second);
    out.meaning = conversation::Unknown{message.kind};
    if (message.state != MessageState::unreadable)
        if (auto meaning = conversation::decode(message.kind, message.body)) out.meaning = std::move(*meaning);
    out.message = std::move(message);
    return out;
}

}  // namespace

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
        if (message->state != MessageState::withheld) out.push_back(show(core, row.id, std::move(*message)));
    }
    return out;
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
        out.push_back({row.id, raised, std::string(as_text(in.take(in.left())))});
    }
    return out;
}

}  // namespace nimes::agent::engine
