#include "schedule.hpp"

#include <algorithm>

#include "nimes/encoding.hpp"

namespace nimes::model {
namespace {

constexpr std::size_t kFewestDevices = 3;
constexpr std::size_t kMostDevices = 8;
// A day is rare, for a day's seal keys are most of what a schedule costs.
constexpr Millis kSpans[] = {10 * kSecond, 10 * kSecond, 2 * kMinute, 2 * kMinute,
                             2 * kMinute,  3 * kHour,    3 * kHour,   25 * kHour};

// Most schedules are short, some are long enough for harm upon harm: of a hundred 80 have 5 to 14 steps, 17 have 15 to
// 30, and 3 have 40 to 100.
std::size_t length(Chance& chance) {
    const auto of_hundred = chance.below(100);
    if (of_hundred < 80) return 5 + chance.below(10);
    if (of_hundred < 97) return 15 + chance.below(16);
    return 40 + chance.below(61);
}

}  // namespace

World::World(std::uint64_t seed, std::filesystem::path folder)
    : chance_(seed),
      folder_(std::move(folder)),
      server_(clock_, chance_),
      oracle(server_),
      hostile_(server_, chance_, oracle) {
    server_.granted = [this](const DeviceId& sender, const GrantUpload& grant) {
        for (auto& h : all_)
            if (h->device() == sender) oracle.granted(*h, grant);
    };
    server_.before = [this](const DeviceId& device) {
        for (auto& h : all_)
            if (h->device() == device) oracle.before(*h);
    };
    server_.changed = [this](const ConvEvent& event) { oracle.changed(event); };
    const auto devices = kFewestDevices + chance_.below(kMostDevices - kFewestDevices + 1);
    people_ = std::min(devices, kFewestDevices + chance_.below(3));
    for (std::size_t person = 0; person < people_; ++person) {
        oracle.knows(server_.person(static_cast<int>(person)));
        add_handset(static_cast<int>(person), Admission::first);
    }
    // The first of the further ones is the first person's: what one administrator's two devices do at once is a scene.
    for (std::size_t n = people_; n < devices; ++n)
        add_handset(n == people_ ? 0 : static_cast<int>(chance_.below(people_)), Admission::approved);
}

void World::add_handset(int person, Admission admission) {
    all_.push_back(std::make_unique<Handset>(server_, clock_, chance_, folder_ / std::to_string(homes_++), person));
    all_.back()->enrol(admission);
}

std::set<DeviceId> World::active() {
    std::set<DeviceId> out;
    for (auto& h : all_)
        if (!oracle.is_revoked(h->device())) out.insert(h->device());
    return out;
}

Handset& World::someone() { return *all_[chance_.below(all_.size())]; }

void World::say() {
    auto& from = someone();
    const auto to = places_[chance_.below(places_.size())];
    if (!from.core().conversations.contains(to)) return;
    const auto text = "text " + std::to_string(++texts_);
    const auto done = from.say(to, agent::conversation::Text{text});
    tell(from, "says " + text + " in " + to_hex(to.view()).substr(0, 6) + (done ? "" : ": " + done.error().text()));
    if (done) oracle.said(from, to, done->id, text, active());
    from.settle();
}

void World::change_roster() {
    auto& from = someone();
    const auto group = places_.front();
    if (!from.core().conversations.contains(group)) return;
    const auto who = someone().user();
    const bool there = from.core().conversations.at(group).member(who) != nullptr;
    const auto op = there ? RosterOp::remove : RosterOp::add;
    // Marked whether it comes through or not: who was removed and added again misses what was said between.
    oracle.removed(group, who);
    const auto done = from.change(group, who, op, MemberRole::poster);
    tell(from, std::string(there ? "removes " : "adds ") + to_hex(who.view()).substr(0, 6) +
                   (done ? "" : ": " + done.error().text()));
    from.settle();
}

void World::revoke() {
    if (all_.size() <= people_) return;
    auto& last = *all_.back();
    if (oracle.is_revoked(last.device())) return;
    oracle.revoked(last.device());
    must(server_.directory().revoke(last.device(), RevokeReason::stolen), "revoke");
    add_handset(last.person(), Admission::approved);
}

// Rule 17: its owner's devices say so, each of them.
void World::judge_alarms() {
    for (const auto& [cert, key] : hostile_.invented) {
        for (auto& h : all_) {
            if (h->user() != cert.user || oracle.is_revoked(h->device())) continue;
            h->reconnect();  // each sync looks at one's own entry
            if (!h->alarmed_of(to_text(cert.device))) throw Broken("rule 17: an invented device raised no alarm");
        }
        must(server_.directory().revoke(cert.device, RevokeReason::lost), "revoke");
        oracle.revoked(cert.device);
    }
    hostile_.invented.clear();
}

void World::deliver(Handset& to, std::size_t most) {
    for (std::size_t i = 0; i < most; ++i) {
        auto next = server_.hand_out(to.device());
        if (!next) break;
        to.take(*next);
        tell(to, "takes " + std::to_string(next->sequence()) + " of kind " + std::to_string(next->payload_case()) +
                     " from " + to_hex(as_bytes(next->sender_device())).substr(0, 6) + " in " +
                     to_hex(as_bytes(next->conversation())).substr(0, 6));
    }
    oracle.look(to);
}

void World::let_time_pass() {
    clock_.advance(kSpans[chance_.below(std::size(kSpans))]);
    must(server_.directory().tick(), "head");
    if (trace != nullptr) *trace << "time passes: " << clock_.now() << std::endl;
    for (auto& h : all_) h->tick();
}

void World::tell(const Handset& who, const std::string& what) {
    if (trace != nullptr) *trace << to_text(who.device()).substr(0, 6) << " " << what << std::endl;
}

void World::step() {
    switch (chance_.below(12)) {
        case 0:
            switch (chance_.below(12)) {
                case 0:
                    return hostile_.invent(someone().user());
                case 1:
                    return fork_roster();
                case 2:
                    return ask_for_somebody();
                default:
                    return change_roster();
            }
        case 1:
            if (chance_.one_in(40)) return revoke();
            return chance_.one_in(3) ? someone().restart() : someone().tick();
        case 2:
            return chance_.one_in(3) ? let_time_pass() : someone().tick();
        case 3:
        case 4: {
            const auto before = hostile_.done;
            auto& at = someone();
            hostile_.act(at, all_);
            for (const auto& [name, count] : hostile_.done)
                if (!before.contains(name) || before.at(name) != count) tell(at, "- the server: " + name);
            return;
        }
        case 5:
        case 6:
        case 7:
            return deliver(someone(), 1 + chance_.below(6));
        default:
            return say();
    }
}

// What was dropped lies there after all, when all that could be asked for was asked for: it may not be shown again.
void World::come_late() {
    if (chance_.one_in(2)) hostile_.bring_back();
    for (auto& h : all_) deliver(*h, 1'000'000);
}

// Changes of a device that was revoked since wait for an administrator at whoever had not applied them: somebody looks
// at them, and says so.
void World::confirm_changes() {
    const auto group = places_.front();
    if (std::none_of(all_.begin(), all_.end(), [&](const auto& h) { return h->core().doubted.contains(group); }))
        return;
    for (auto& h : all_) {
        if (h->out() || oracle.is_revoked(h->device())) continue;
        const auto done = h->confirm(group);
        tell(*h, "confirms" + (done ? std::string() : ": " + done.error().text()));
        if (done) return h->settle();
    }
}

// The server is honest again, and everything that can be mended is.
void World::truce() {
    for (auto& h : all_) h->network().lie = nullptr, h->network().events_withheld = 0;
    std::vector<std::string> missing;
    // Who was robbed asks after a minute, and is answered: not in every schedule, for it is slow.
    int patience = hostile_.robbed() && chance_.one_in(2) ? 4 : 1;
    for (const Millis span : {Millis{0}, 11 * kSecond, 61 * kSecond, 61 * kSecond, 2 * kHour, 9 * kHour}) {
        clock_.advance(span);
        must(server_.directory().tick(), "head");
        for (int round = 0; round < 2; ++round) {
            for (auto& h : all_) h->tick();
            for (auto& h : all_) deliver(*h, 1'000'000);
        }
        confirm_changes();
        missing = oracle.missing(all_);
        if (--patience <= 0 && missing.empty()) break;
    }
    if (!missing.empty())
        throw Broken("an accepted message was not opened: " + missing.front() + " and " +
                     std::to_string(missing.size() - 1) + " more");
    come_late();
    judge_alarms();
    oracle.judge_alarms();
    if (chance_.one_in(4))
        for (auto& h : all_) oracle.audit(*h);
    if (server_.reused != 0) throw Broken("rule 5: a place in a chain was used for two messages");
}

void World::run_schedule() {
    oracle.next_schedule({});
    places_.clear();
    auto& founder = *all_[chance_.below(people_)];
    std::vector<UserId> others;
    for (auto& h : all_)
        if (h->user() != founder.user() && !chance_.one_in(4)) others.push_back(h->user());
    if (others.empty()) others.push_back(all_[founder.person() == 0 ? 1 : 0]->user());
    const auto group = founder.create_group(others);
    if (!group) throw Broken("no group could be made: " + group.error().text());
    founder.settle();
    places_ = {*group, founder.pair_with(others.front())};
    oracle.next_schedule(places_);
    const auto n = length(chance_);
    for (std::size_t i = 0; i < n; ++i) step();
    steps += n;
    longest = std::max(longest, n);
    truce();
}

}  // namespace nimes::model
