// Scenes that chance alone would hardly play: forks of a roster and of the directory, a look-up by address.
#include <algorithm>

#include "schedule.hpp"

namespace nimes::model {

// Two devices of the administrator change the group at the same time, and the server shows a member both.
void World::fork_roster() {
    for (auto& h : all_) h->network().lie = nullptr, h->network().events_withheld = 0;
    for (auto& h : all_) deliver(*h, 1'000'000);
    const auto& group = places_.front();
    std::vector<Handset*> admins;
    Handset* witness = nullptr;
    for (auto& h : all_) {
        const auto* state = oracle.group_at(*h);
        if (state == nullptr || state->forked || oracle.is_revoked(h->device()) || h->out()) continue;
        const auto* me = state->member(h->user());
        if (me != nullptr && me->role == MemberRole::administrator) admins.push_back(h.get());
        else if (me != nullptr && witness == nullptr) witness = h.get();
    }
    if (admins.size() < 2 || witness == nullptr) return;
    const auto* state = oracle.group_at(*witness);
    const auto epoch = state->epoch;
    const auto& roster = state->now().roster;
    const auto third = std::find_if(roster.begin(), roster.end(), [&](const Member& m) {
        return m.user != witness->user() && m.user != admins[0]->user();
    });
    if (third == roster.end()) return;
    const auto out = third->user;
    for (auto* admin : {admins[0], admins[1]})
        if (oracle.group_at(*admin)->epoch != epoch) return;
    oracle.removed(group, out);
    server_.outrun.clear();
    for (auto* admin : {admins[0], admins[1]}) (void)admin->change(group, out, RosterOp::remove, MemberRole::poster);
    for (auto* admin : {admins[0], admins[1]}) admin->settle();
    auto& waiting = server_.bag(witness->device()).waiting;
    if (server_.outrun.empty() || waiting.empty() || !waiting.front().has_event()) return;
    auto other = waiting.front();
    other.set_event(std::string(as_text(server_.outrun.back())));
    waiting.push_back(std::move(other));
    oracle.robbed(witness->device());  // nothing is sent there but to who is in both
    deliver(*witness, 1'000'000);
    judge_fork(*witness, "both sides were seen");
    witness->restart();
    judge_fork(*witness, "after a restart");
    hostile_.did("forked a roster");
}

void World::judge_fork(Handset& witness, const char* when) {
    const auto* state = oracle.group_at(witness);
    if (state == nullptr || !state->forked || !witness.alarmed_of("two valid rosters"))
        throw Broken(std::string("rule 13: a forked roster is not told of: ") + when);
}

// Rule 13, and 18 by the way: one handset is shown another history, then the true one. It believes neither from now on.
void World::fork_directory() {
    auto& at = someone();
    if (oracle.is_revoked(at.device()) || at.out()) return;
    const auto renew = [&] {
        clock_.advance(2 * kHour);
        must(server_.directory().tick(), "head");
        at.reconnect();
    };
    const bool true_first = chance_.one_in(2);  // the lie is then of a revision that is held
    if (true_first) renew();
    at.network().lie = [](auto& answer, const auto&) {
        answer.mutable_head()->set_head(Hostile::forked(answer.head().head()));
    };
    if (true_first) at.reconnect();
    else renew();
    at.network().lie = nullptr;
    const auto held = at.core().directory->head().hash();
    for (const auto* when : {"both sides were seen", "after a restart"}) {
        renew();
        if (!at.alarmed_of("shows two histories"))
            throw Broken(std::string("rule 13: a forked directory is not told of: ") + when);
        if (at.core().directory->head().hash() != held)
            throw Broken(std::string("rule 13: a fork of the directory was resolved in silence: ") + when);
        at.restart();
    }
    hostile_.did("forked the directory");
}

// Rule 18: whoever the server names, the entry is that of the address, or there is none.
void World::ask_for_somebody() {
    auto& at = someone();
    const auto who = chance_.below(people_), other = chance_.below(people_);
    const auto user_of = [&](std::size_t n) {
        return server_.directory().person(must(ServiceAddress::parse(Server::address(static_cast<int>(n))), "address"));
    };
    if (oracle.is_revoked(at.device()) || at.out()) return;
    const auto before = at.network().lie;
    at.network().lie = [&](auto& answer, const auto&) {
        if (who == other || answer.entries_size() != 1) return;
        hostile_.did("named another person");
        v1::LookupRequest request;
        request.add_users(std::string(as_text(user_of(other)->user.view())));
        const auto wrong = must(server_.directory().lookup(request), "look-up").entries(0);
        auto& entry = *answer.mutable_entries(0);
        entry.set_user(wrong.user());
        *entry.mutable_records() = wrong.records();
        entry.set_path(wrong.path());
    };
    const auto found = at.find(Server::address(static_cast<int>(who)));
    at.network().lie = before;
    if (found && *found != user_of(who)->user) throw Broken("rule 18: another person's entry for an address");
}

}  // namespace nimes::model
