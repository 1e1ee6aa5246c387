#include "engine/roster_fetch.hpp"

namespace nimes::agent::engine {
namespace {

using conversation::ActorFacts;
using directory::HeldDirectory;

constexpr int kProofRounds = 3;
constexpr int kPages = 64;  // of one group at once

// Those that follow on `from`, as far as the answer is what was asked for.
std::vector<ConvEvent> events_of(const v1::ConversationEvents& answer, const ConversationId& id, std::uint64_t from) {
    std::vector<ConvEvent> out;
    for (const auto& bytes : answer.events()) {
        auto event = ConvEvent::parse(as_bytes(bytes));
        if (!event || event->conversation != id || event->epoch != from + out.size()) break;
        out.push_back(std::move(*event));
    }
    return out;
}

}  // namespace

Result<bool> RosterFetch::fetch(Lock& lock) {
    bool moved = false;
    auto wanted = std::move(core_.wanted_events);
    core_.wanted_events.clear();
    for (const auto& id : wanted) {
        auto came = fetch_one(lock, id);
        if (!came) return came;
        moved = moved || *came;
    }
    return moved;
}

void RosterFetch::want_proofs(const std::vector<ConvEvent>& events) {
    for (const auto& e : events) {
        const auto* held = core_.directory->find(e.actor_user);
        if (held == nullptr || (held->entry.cert(e.actor_device) == nullptr && held->revision < e.dir_revision))
            core_.wanted_users.insert(e.actor_user);
        if (core_.directory->judge_named(e.dir_revision, e.dir_head) != HeldDirectory::Named::unknown) continue;
        if (e.dir_revision > core_.directory->head().revision) core_.wanted_newest_head = true;
        core_.wanted_heads.insert(e.dir_revision);
    }
}

ActorFacts RosterFetch::facts_of(const ConvEvent& e) const {
    ActorFacts out;
    if (const auto* held = core_.directory->find(e.actor_user); held != nullptr) {
        out.entry_known = true;
        out.cert = held->entry.cert(e.actor_device);
        out.revoke = held->entry.revoke(e.actor_device);
    }
    const auto named = core_.directory->judge_named(e.dir_revision, e.dir_head);
    if (named == HeldDirectory::Named::verified) out.head = ActorFacts::Head::verified;
    if (named == HeldDirectory::Named::failed) out.head = ActorFacts::Head::failed;
    return out;
}

Result<bool> RosterFetch::fetch_one(Lock& lock, const ConversationId& id) {
    bool moved = false;
    for (int page = 0; page < kPages; ++page) {
        const auto at = core_.conversations.find(id);
        const bool known = at != core_.conversations.end();
        if (known && at->second.is_pair()) return moved;
        const auto from = known ? at->second.epoch + 1 : 1;
        lock.unlock();
        const auto answer = network_.events(id, from);
        lock.lock();
        if (!answer) return moved;  // no member, or nobody there: what is held wants it again
        const auto events = events_of(*answer, id, from);
        if (events.empty()) return moved;
        for (int round = 0; round < kProofRounds; ++round) {
            want_proofs(events);
            if (core_.wanted_users.empty() && core_.wanted_heads.empty() && !core_.wanted_newest_head) break;
            (void)sync_.fetch_wanted(lock);
        }
        std::vector<conversation::Step> steps;
        for (const auto& e : events) steps.push_back({e, facts_of(e)});
        std::optional<conversation::ConversationState> state;
        if (const auto now = core_.conversations.find(id); now != core_.conversations.end()) state = now->second;
        const auto taken = conversation::apply_all(state, steps);
        if (taken == 0 || !state) return moved;
        moved = true;
        auto stored = core_.transact([&](container::Transaction& tx) { return core_.put_conversation(tx, *state); });
        if (!stored) return pass(stored);
        for (const auto& m : state->now().roster)
            if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
        if (taken < steps.size() || state->epoch >= answer->newest_epoch()) return moved;
    }
    return moved;
}

}  // namespace nimes::agent::engine
