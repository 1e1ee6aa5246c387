#include "conversation/effects.hpp"

#include <algorithm>

namespace nimes::agent::conversation {
namespace {

const Member* find(const Roster& roster, const UserId& user) {
    const auto at = std::find_if(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
    return at == roster.end() ? nullptr : &*at;
}

// Readers have no chain here: they act in the conversation of two with the author. Reports go there always.
bool in_place(const Act& act, const Subject& subject, const Roster& roster) {
    if (act.conversation == subject.conversation) return true;
    return act.conversation == pair_id(act.user, subject.user) && find(roster, act.user) != nullptr;
}

bool may_delete(const Act& act, const Subject& subject, const Roster& roster) {
    if (act.conversation != subject.conversation) return false;
    if (act.user == subject.user) return true;
    const auto* member = find(roster, act.user);
    return member != nullptr && member->role == MemberRole::administrator;
}

struct Folding {
    const Subject& subject;
    const Act& act;
    const Roster& roster;
    Face& face;

    void operator()(const Reaction& r) const {
        if (!r.withdrawn && in_place(act, subject, roster)) face.reactions[act.user] = r.emoji;
    }
    void operator()(const Edit& e) const {
        const bool editable =
            std::holds_alternative<Text>(subject.meaning) || std::holds_alternative<Media>(subject.meaning);
        if (act.user != subject.user || act.device != subject.device || act.conversation != subject.conversation ||
            !editable || e.number <= face.edits)
            return;
        face.text = e.text;
        face.edits = e.number;
    }
    void operator()(const Delete& d) const {
        if (!may_delete(act, subject, roster)) return;
        face.deleted = true;
        if (d.report) face.report_to.insert(act.user);
    }
    void operator()(const Vote& v) const {
        const auto* poll = std::get_if<Poll>(&subject.meaning);
        if (poll == nullptr || !in_place(act, subject, roster) || (poll->ends != 0 && act.sent > poll->ends)) return;
        if (!v.choices.empty() && v.choices.back() >= poll->options.size()) return;
        if (v.choices.empty()) face.votes.erase(act.user);
        else face.votes[act.user] = v.choices;
    }
    void operator()(const Receipt& r) const {
        if (!in_place(act, subject, roster) || r.items.empty()) return;
        face.receipts[act.device] = {act.user, r.read, act.sent, r.items.front().digest};
    }
    void operator()(const RecallReport& r) const {
        if (find(roster, act.user) != nullptr) face.recalled[act.device] = r.state;
    }
    template <class NoAct>
    void operator()(const NoAct&) const {}
};

enum class By : std::uint8_t { user, device };
By actor_of(const Meaning& meaning) {
    return std::holds_alternative<Reaction>(meaning) || std::holds_alternative<Vote>(meaning) ? By::user : By::device;
}

}  // namespace

std::vector<MessageRef> targets_of(const DeviceId& sender, const Meaning& meaning) {
    if (const auto* r = std::get_if<Reaction>(&meaning)) return {r->message};
    if (const auto* e = std::get_if<Edit>(&meaning)) return {{sender, e->message}};
    if (const auto* d = std::get_if<Delete>(&meaning)) return {d->message};
    if (const auto* v = std::get_if<Vote>(&meaning)) return {v->poll};
    if (const auto* r = std::get_if<RecallReport>(&meaning)) return {r->message};
    std::vector<MessageRef> out;
    if (const auto* r = std::get_if<Receipt>(&meaning))
        for (const auto& item : r->items) out.push_back({item.device, item.message});
    return out;
}

Meaning about(const Meaning& meaning, const MessageRef& target) {
    if (const auto* r = std::get_if<Receipt>(&meaning)) {
        Receipt out{r->read, {}};
        for (const auto& item : r->items)
            if (item.device == target.device && item.message == target.message && out.items.empty())
                out.items.push_back(item);
        return out;
    }
    if (const auto* r = std::get_if<Reaction>(&meaning)) return *r;
    if (const auto* e = std::get_if<Edit>(&meaning)) return *e;
    if (const auto* d = std::get_if<Delete>(&meaning)) return *d;
    if (const auto* v = std::get_if<Vote>(&meaning)) return *v;
    if (const auto* r = std::get_if<RecallReport>(&meaning)) return *r;
    return Signal{};
}

Bytes slot_of(const Act& act) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(act.meaning.index()));
    if (actor_of(act.meaning) == By::user) out.id(act.user);
    else out.id(act.device);
    return std::move(out).take();
}

bool supersedes(const Act& newcomer, const Act& held) {
    if (const auto* edit = std::get_if<Edit>(&newcomer.meaning)) {
        const auto* old = std::get_if<Edit>(&held.meaning);
        return old == nullptr || edit->number > old->number;
    }
    if (const auto* receipt = std::get_if<Receipt>(&newcomer.meaning)) {
        const auto* old = std::get_if<Receipt>(&held.meaning);
        return old == nullptr || (receipt->read && !old->read);
    }
    if (const auto* report = std::get_if<RecallReport>(&newcomer.meaning)) {
        const auto* old = std::get_if<RecallReport>(&held.meaning);
        return old == nullptr || report->state > old->state;
    }
    if (const auto* deletion = std::get_if<Delete>(&newcomer.meaning)) {
        const auto* old = std::get_if<Delete>(&held.meaning);
        return old == nullptr || (deletion->report && !old->report);
    }
    return std::tie(newcomer.sent, newcomer.id) > std::tie(held.sent, held.id);
}

Face fold(const Subject& subject, const std::vector<Act>& acts, const Roster& roster) {
    Face out;
    for (const auto& act : acts) std::visit(Folding{subject, act, roster, out}, act.meaning);
    return out;
}

}  // namespace nimes::agent::conversation
