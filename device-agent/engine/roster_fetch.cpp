#include "engine/roster_fetch.hpp"

#include <utility>

#include "engine/doubts.hpp"
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
    const auto wanted = std::exchange(core_.wanted_events, {});
    for (auto id = wanted.begin(); id != wanted.end(); ++id) {
        auto came = fetch_one(lock, *id);
        if (!came) {  // of the store: they are wanted still
            core_.wanted_events.insert(id, wanted.end());
            return came;
        }
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

Result<void> RosterFetch::doubt(const conversation::ConversationState& doubted) {
    for (const auto& m : doubted.now().roster)
        if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
    return core_.transact([&](container::Transaction& tx) { return note_doubt(core_, tx, doubted); });
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
    std::vector<ConvEvent> events;  // on what is here: some may wait for who vouches for them, on a later page
    for (int page = 0; page < kPages; ++page) {
        const auto at = core_.conversations.find(id);
        const bool known = at != core_.conversations.end();
        if (known && at->second.is_pair()) return moved;
        const auto from = known ? at->second.epoch + 1 : 1;
        if (!events.empty() && events.front().epoch != from) events.clear();  // it moved while the network answered
        const auto next = from + events.size();
        lock.unlock();
        const auto answer = network_.events(id, next);
        lock.lock();
        if (!answer) return moved;  // no member, or nobody there: what is held wants it again
        auto more = events_of(*answer, id, next);
        const bool last = more.empty() || more.back().epoch >= answer->newest_epoch();
        std::move(more.begin(), more.end(), std::back_inserter(events));
        if (events.empty()) return moved;
        std::optional<conversation::ConversationState> state;
        conversation::Taken taken;
        for (int round = 0;; ++round) {
            taken = judge(id, events, state);
            if (taken.count == events.size() || !core_.wants() || round == kProofRounds) break;
            (void)sync_.fetch_wanted(lock);
        }
        if (taken.count > 0) {
            moved = true;
            if (auto stored = store(*state, std::span(events).first(taken.count), from); !stored) return pass(stored);
            for (const auto& m : state->now().roster)
                if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
        }
        if (last && taken.doubted)
            if (auto ok = doubt(*taken.doubted); !ok) return pass(ok);
        if (last || (taken.count < events.size() && !taken.doubted)) return moved;
        events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(taken.count));
    }
    return moved;
}

}  // namespace nimes::agent::engine
