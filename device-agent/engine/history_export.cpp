// The old device's side: what of its messages goes into a bundle.
#include <algorithm>

#include "engine/history.hpp"

namespace nimes::agent::engine {
namespace {

using container::Order;
using container::Table;
using conversation::HistoryConversation;
using conversation::HistoryHead;
using conversation::HistoryMessage;
using conversation::MessageRef;

constexpr std::size_t kPage = 200;
constexpr std::size_t kHeadRoom = 4'096;  // for the head
constexpr std::size_t kOneConversation = 512;

void append(Bytes& to, Bytes record) {
    to.insert(to.end(), record.begin(), record.end());
    sodium_memzero(record.data(), record.size());
}

}  // namespace

struct History::Chosen {
    std::vector<Bytes> contents, acts;  // newest first
    std::set<MessageRef> named;         // the contents
    std::map<ConversationId, Bytes> conversations;
    std::size_t bytes = kHeadRoom;
    bool full = false, cut = false;
    bool acts_now = false;  // second round: acts, on what went in the first

    ~Chosen() {
        for (auto* list : {&contents, &acts})
            for (auto& record : *list) sodium_memzero(record.data(), record.size());
    }
};

// Of an epoch that is forgotten by now the message itself is the proof: it was opened here.
bool History::was_member(const ConversationId& id, std::uint64_t epoch, const UserId& user) const {
    const auto at = core_.conversations.find(id);
    if (at == core_.conversations.end()) return true;
    if (at->second.is_pair())
        return std::find(at->second.pair.begin(), at->second.pair.end(), user) != at->second.pair.end();
    const auto* then = at->second.at(epoch);
    if (then == nullptr) return epoch < at->second.epochs.begin()->first;
    return std::any_of(then->roster.begin(), then->roster.end(), [&](const Member& m) { return m.user == user; });
}

bool History::alive(const HistoryMessage& m, const conversation::Meaning& meaning) const {
    const auto now = std::min(core_.clock.now(), core_.now());
    if (std::min(m.sent, m.received) + core_.provisioning->policy.retention <= now) return false;
    const auto once = [](const conversation::Lifetime& l) { return l.view_once; };
    if (const auto* text = std::get_if<conversation::Text>(&meaning); text != nullptr && once(text->lifetime))
        return false;
    if (const auto* media = std::get_if<conversation::Media>(&meaning); media != nullptr && once(media->lifetime))
        return false;
    const auto life = lifetime_of(meaning);
    return life == 0 || m.shown == 0 || now < m.shown + Millis{life} * kSecond;
}

void History::consider(const StoredMessage& m, const HistoryHead& head, Chosen& chosen) {
    const bool said = m.state == MessageState::opened || m.state == MessageState::sent;
    if (!said || m.sent < head.from || m.device == head.new_device) return;
    const auto at = core_.conversations.find(m.conversation);
    if (at == core_.conversations.end() || !was_member(m.conversation, m.conv_epoch, core_.own().user)) return;
    const auto meaning = conversation::decode(m.kind, m.body);
    if (!meaning || !conversation::history_takes(*meaning)) return;
    HistoryMessage out{m.conversation, m.user, m.device, m.id, m.sent, m.received, m.conv_epoch, m.kind, m.body, 0};
    if (m.expires_after_s != 0) out.shown = m.shown;
    const auto targets = conversation::targets_of(m.device, *meaning);
    if (targets.empty() == chosen.acts_now || !alive(out, *meaning)) return;
    const bool aims =
        std::any_of(targets.begin(), targets.end(), [&](const auto& t) { return chosen.named.contains(t); });
    if (chosen.acts_now && !aims) return;
    auto record = conversation::encode(conversation::HistoryRecord(std::move(out)));
    const bool new_conversation = !chosen.conversations.contains(m.conversation);
    const auto cost = record.size() + (new_conversation ? kOneConversation : 0);
    // What is said leaves an eighth for what was done about it.
    const auto share = [&](std::uint64_t most) { return chosen.acts_now ? most : most - most / 8; };
    if (chosen.bytes + cost > share(conversation::kMaxHistoryBytes) ||
        chosen.contents.size() + chosen.acts.size() >= share(conversation::kMaxHistoryMessages) ||
        (new_conversation && chosen.conversations.size() >= conversation::kMaxHistoryConversations)) {
        chosen.full = chosen.cut = true;
        return;
    }
    if (new_conversation) {
        const auto& info = core_.infos[m.conversation];
        const HistoryConversation place{m.conversation, at->second.pair, info.title, info.expires_after_s};
        chosen.conversations.emplace(m.conversation, conversation::encode(conversation::HistoryRecord(place)));
    }
    chosen.bytes += cost;
    if (!chosen.acts_now) chosen.named.insert({m.device, m.id});
    (chosen.acts_now ? chosen.acts : chosen.contents).push_back(std::move(record));
    return;
}

Result<ChosenHistory> History::choose(const HistoryHead& wanted) {
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    Chosen chosen;
    for (const bool acts : {false, true}) {
        chosen.acts_now = acts;
        chosen.full = false;
        for (std::uint64_t from = 0; !chosen.full;) {  // newest first: what does not fit is the oldest
            auto rows = tx->scan(Table::messages, from, kPage, Order::newest_first);
            if (!rows) return pass(rows);
            for (const auto& row : *rows) {
                const auto message = StoredMessage::parse(row.value);
                if (!message) return fail(message.error().code, message.error().detail);
                consider(*message, wanted, chosen);
                from = row.id;
            }
            if (rows->size() < kPage || from <= 1) break;
            --from;
        }
    }
    ChosenHistory out;
    out.conversations = static_cast<std::uint32_t>(chosen.conversations.size());
    out.messages = static_cast<std::uint32_t>(chosen.contents.size() + chosen.acts.size());
    out.cut = chosen.cut;
    auto head = wanted;
    head.conversations = out.conversations;
    head.messages = out.messages;
    out.bundle.reserve(chosen.bytes);  // so that nothing is left behind where it grew
    append(out.bundle, conversation::encode(conversation::HistoryRecord(head)));
    for (auto& [id, record] : chosen.conversations) append(out.bundle, std::move(record));
    for (auto* list : {&chosen.contents, &chosen.acts})
        for (auto record = list->rbegin(); record != list->rend(); ++record) append(out.bundle, std::move(*record));
    return out;
}

}  // namespace nimes::agent::engine
