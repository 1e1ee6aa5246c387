#include "engine/acts.hpp"

#include "engine/put_back.hpp"
#include "engine/removals.hpp"

namespace nimes::agent::engine {
namespace {

using container::Column;
using container::Table;
using container::Transaction;
using conversation::Act;
using conversation::Face;
using conversation::Meaning;
using conversation::MessageRef;

constexpr std::uint32_t kColumnTarget = 1;

bool has_content(const StoredMessage& m) {
    return m.state != MessageState::deleted && m.state != MessageState::vanished && m.state != MessageState::withheld;
}

}  // namespace

std::uint32_t lifetime_of(const Meaning& meaning) {
    const auto of = [](const conversation::Lifetime& l) { return l.view_once ? 1u : l.expires_after_s; };
    if (const auto* text = std::get_if<conversation::Text>(&meaning)) return of(text->lifetime);
    if (const auto* media = std::get_if<conversation::Media>(&meaning)) return of(media->lifetime);
    return 0;
}

Roster Acts::roster_of(const StoredMessage& message) const {
    const auto at = core_.conversations.find(message.conversation);
    return at == core_.conversations.end() ? Roster{} : at->second.now().roster;
}

Result<void> Acts::file(Transaction& tx, const MessageRef& target, Act act) {
    const auto key = StoredAct::key(target, act);
    auto there = tx.get(Table::acts, key);
    if (!there) return pass(there);
    if (*there) {
        const auto held = StoredAct::parse((*there)->value);
        if (held && !conversation::supersedes(act, held->act)) return {};
    }
    const auto day = core_.expiry_day(act.sent, core_.now());
    const auto bytes = StoredAct{std::move(act)}.encode();
    if (!bytes) return fail(bytes.error().code);
    const auto named = StoredAct::target(target);
    auto put = tx.put(Table::acts, key, *bytes, {day, {Column{kColumnTarget, named}}});
    if (!put) return pass(put);
    return {};
}

Result<void> Acts::take(Transaction& tx, const StoredMessage& message, const Meaning& meaning) {
    for (const auto& target : conversation::targets_of(message.device, meaning)) {
        Act act{message.conversation, message.user, message.device,
                message.id,           message.sent, conversation::about(meaning, target)};
        if (auto ok = file(tx, target, std::move(act)); !ok) return ok;
        if (!std::holds_alternative<conversation::Delete>(meaning)) continue;
        auto row = find_message(tx, target.device, target.message);
        if (!row) return pass(row);
        if (!*row || !has_content((*row)->message)) continue;
        auto& acted_on = (*row)->message;
        const auto what = conversation::decode(acted_on.kind, acted_on.body);
        const Meaning unknown = conversation::Unknown{acted_on.kind};
        if (auto ok = settle(tx, acted_on, what ? *what : unknown); !ok) return ok;
        if (auto put = put_message(tx, acted_on, (*row)->expiry_day); !put) return pass(put);
    }
    return {};
}

Result<void> Acts::settle(Transaction& tx, StoredMessage& message, const Meaning& meaning) {
    const auto seen = face(tx, message, meaning);
    if (!seen) return fail(seen.error().code, seen.error().detail);
    if (!seen->deleted) return {};
    if (const auto* medium = std::get_if<conversation::Media>(&meaning)) {
        if (auto gone = tx.erase(Table::media, to_bytes(medium->ref.blob.view())); !gone) return pass(gone);
        if (auto owed = owe_removal(tx, core_, message, medium->ref.blob); !owed) return owed;
        put_back_if_lost(tx, core_.erased_media);
        core_.erased_media.insert(medium->ref.blob);
    }
    for (const auto& user : seen->report_to)
        if (user != core_.own().user && message.user != core_.own().user) message.report_to = user;
    message.state = MessageState::deleted;
    message.receipt = ReceiptDue::none;
    sodium_memzero(message.body.data(), message.body.size());
    message.body.clear();
    return {};
}

Result<Face> Acts::face(Transaction& tx, const StoredMessage& message, const Meaning& meaning) const {
    const auto target = StoredAct::target({message.device, message.id});
    auto rows = tx.find(Table::acts, Column{kColumnTarget, target});
    if (!rows) return pass(rows);
    std::vector<Act> acts;
    for (const auto& row : *rows) {
        auto act = StoredAct::parse(row.value);
        if (!act) return pass(act);
        acts.push_back(std::move(act->act));
    }
    const conversation::Subject subject{message.conversation, message.user, message.device, message.id, meaning};
    return conversation::fold(subject, acts, roster_of(message));
}

}  // namespace nimes::agent::engine
