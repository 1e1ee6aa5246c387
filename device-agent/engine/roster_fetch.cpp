#include "engine/roster_fetch.hpp"

#include "engine/confirm.hpp"
#include "engine/event_facts.hpp"

namespace nimes::agent::engine {
namespace {

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

// How many of them follow on what is here, as far as their proofs are; the rest is asked for.
conversation::Taken RosterFetch::judge(const ConversationId& id, const std::vector<ConvEvent>& events,
                                       std::optional<conversation::ConversationState>& state) {
    std::vector<conversation::Step> steps;
    for (const auto& e : events) steps.push_back({e, event_facts(core_, e)});
    state.reset();
    if (const auto now = core_.conversations.find(id); now != core_.conversations.end()) state = now->second;
    return conversation::apply_all(state, steps);
}

Result<void> RosterFetch::doubt(const conversation::Taken& taken) {
    if (!taken.doubted) return {};
    for (const auto& m : taken.doubted->now().roster)
        if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
    return core_.transact([&](container::Transaction& tx) { return note_doubt(core_, tx, *taken.doubted); });
}

Result<void> RosterFetch::store(const conversation::ConversationState& state, std::span<const ConvEvent> taken,
                                std::uint64_t from) {
    return core_.transact([&](container::Transaction& tx) -> Result<void> {
        if (auto ok = core_.put_conversation(tx, state); !ok) return ok;
        for (const auto& e : taken)
            if (e.epoch >= from)
                if (auto ok = tell_appointment(core_, tx, state, e); !ok) return ok;
        return {};
    });
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
        std::optional<conversation::ConversationState> state;
        conversation::Taken all;
        for (int round = 0;; ++round) {
            all = judge(id, events, state);
            if (all.count == events.size() || !core_.wants() || round == kProofRounds) break;
            (void)sync_.fetch_wanted(lock);
        }
        if (auto ok = doubt(all); !ok) return pass(ok);
        const auto taken = all.count;
        if (taken == 0 || !state) return moved;
        moved = true;
        if (auto stored = store(*state, std::span(events).first(taken), from); !stored) return pass(stored);
        for (const auto& m : state->now().roster)
            if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
        if (taken < events.size() || state->epoch >= answer->newest_epoch()) return moved;
    }
    return moved;
}

}  // namespace nimes::agent::engine
