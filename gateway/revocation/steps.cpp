// The steps of an order, one after the other: what is not confirmed is done, what is confirmed is written down.
#include <algorithm>

#include "revocation/runner.hpp"

namespace nimes::gateway::revocation {
namespace {

constexpr Millis kLongestPause = kMinute;
constexpr Millis kLookAtOwed = 10 * kSecond;
// Devices that go through a step together: what it writes is one commit, and so is its mark. Bounded, since messages
// wait for the disk as well, and the mailroom for a batch of mailboxes.
constexpr std::size_t kTogether = 64;
// Each device's own, what a thief could still use first; the others are the directory's, the broker's, or of the whole
// order.
constexpr Step kPlain[] = {Step::tokens_refused, Step::share_withheld,    Step::share_deleted,      Step::wipe_ordered,
                           Step::requests_cut,   Step::mailbox_destroyed, Step::seal_keys_destroyed};

bool waits_for(const Order& order, const Target& target, Step step) {
    return target.superseded == 0 && order.wants(target, step) && !target.has(step);
}

}  // namespace

void Runner::advance(std::uint64_t id) {
    Result<void> ok;
    {
        const std::lock_guard acting(acting_);
        ok = record(id);
    }
    auto order = copy(id);
    if (!order) return;
    if (ok) ok = steps(*order);
    if (ok) ok = list_chains(*order);
    if (ok) ok = look_at_owed(*order);
    if (ok) ok = finish(id);
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(id);
    if (at == runs_.end()) return;
    auto& run = at->second;
    run.failures = ok ? 0 : run.failures + 1;
    const auto pause = ok ? (run.order.ended != 0 ? kLookAtOwed : 0)
                          : std::min(kLongestPause, kSecond << std::min(run.failures - 1, 6U));
    run.again = needs_.clock.boot() + pause;
    if (!ok)
        needs_.log.warning("revocation_step_failed", {{"order", std::to_string(id)}, {"code", ok.error().row().name}});
}

Result<void> Runner::record(std::uint64_t id) {
    auto order = copy(id);
    if (!order || order->ended != 0) return {};
    if (auto ok = record_people(*order); !ok) return ok;
    order = copy(id);
    return record_devices(*order);
}

// Closed first, then their devices: none comes in between.
Result<void> Runner::record_people(const Order& order) {
    for (const auto& person : order.targets) {
        if (person.subject.is_device() || !waits_for(order, person, Step::recorded)) continue;
        auto devices = needs_.hands.record(order, person.subject.user());
        if (!devices) return pass(devices);
        const std::lock_guard lock(mutex_);
        auto& held = runs_.at(order.id).order;
        std::vector<Target> added;
        for (const auto& device : *devices)
            if (target_in(held.targets, Subject::of(device)) == nullptr)
                added.push_back({Subject::of(device), {}, 0, 0});
        std::sort(added.begin(), added.end(), [](const Target& a, const Target& b) { return a.subject < b.subject; });
        const auto old = superseded_by(added, order.id);
        auto next = person;
        next.done[static_cast<std::size_t>(Step::recorded)] = needs_.clock.now();
        auto all = added;
        all.push_back(next);
        if (auto ok = journal_.add(order, all, old); !ok) return ok;
        supersede(old);
        *target_in(held.targets, person.subject) = next;
        held.targets.insert(held.targets.end(), added.begin(), added.end());
        std::sort(held.targets.begin(), held.targets.end(),
                  [](const Target& a, const Target& b) { return a.subject < b.subject; });
    }
    return {};
}

Result<void> Runner::record_devices(const Order& order) {
    std::vector<Target> targets;
    std::vector<DeviceId> devices;
    for (const auto& target : order.targets)
        if (target.subject.is_device() && waits_for(order, target, Step::recorded)) {
            targets.push_back(target);
            devices.push_back(target.subject.device());
        }
    if (targets.empty()) return {};
    if (auto ok = needs_.hands.record(order, devices); !ok) return ok;
    const auto now = needs_.clock.now();
    const auto revision = needs_.hands.mirror_revision();
    for (auto& target : targets) {
        target.done[static_cast<std::size_t>(Step::recorded)] = now;
        target.mirror_revision = revision;
    }
    const std::lock_guard lock(mutex_);
    if (auto ok = journal_.mark(order.id, targets); !ok) return ok;
    for (const auto& target : targets) *target_in(runs_.at(order.id).order.targets, target.subject) = target;
    return {};
}

// One that fails holds up no other: a share is deleted though the mailbox cannot be, of this device and of the next.
Result<void> Runner::steps(const Order& order) {
    Result<void> out;
    for (const auto which : kPlain) {
        Devices wait;
        for (const auto& target : order.targets)
            if (target.subject.is_device() && target.has(Step::recorded) && waits_for(order, target, which))
                wait.push_back(target.subject.device());
        for (std::size_t at = 0; at < wait.size(); at += kTogether) {
            const auto from = wait.begin() + static_cast<std::ptrdiff_t>(at);
            const Devices some(from, from + static_cast<std::ptrdiff_t>(std::min(kTogether, wait.size() - at)));
            if (which == Step::mailbox_destroyed) destroy_mailboxes(order.id, some);
            else if (auto ok = step(order.id, some, which); !ok && out) out = ok;
        }
    }
    return out;
}

Result<void> Runner::step(std::uint64_t id, const Devices& devices, Step which) {
    auto ok = act(devices, which);
    if (ok) return done(id, devices, which);
    if (devices.size() == 1) return ok;
    // One of them, or all: each by itself.
    Result<void> out;
    for (const auto& device : devices)
        if (auto one = step(id, {device}, which); !one && out) out = one;
    return out;
}

Result<void> Runner::act(const Devices& devices, Step step) {
    switch (step) {
        case Step::tokens_refused:
            return needs_.hands.tokens_refused(devices);
        case Step::requests_cut:
            return needs_.hands.cut_requests(devices);
        case Step::seal_keys_destroyed:
            return needs_.hands.destroy_seal_keys(devices);
        case Step::share_withheld:
            return needs_.hands.shares_withheld(devices);
        case Step::share_deleted:
            return needs_.hands.delete_shares(devices);
        case Step::wipe_ordered:
            return needs_.hands.order_wipes(devices);
        default:
            return fail(Errc::internal, "no step of a device's own");
    }
}

void Runner::destroy_mailboxes(std::uint64_t id, const Devices& devices) {
    Devices asked;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& device : devices)
            if (runs_.at(id).asked.insert(device).second) asked.push_back(device);
    }
    if (asked.empty()) return;
    needs_.hands.destroy_mailboxes(asked, [this, id, asked](const Result<void>& gone) {
        auto ok = gone ? done(id, asked, Step::mailbox_destroyed) : gone;
        const std::lock_guard lock(mutex_);
        const auto run = runs_.find(id);
        if (run == runs_.end()) return;
        if (!ok)
            for (const auto& device : asked) run->second.asked.erase(device);  // the next round asks again
        woken_ = woken_ || ok;
        if (ok) wake_.notify_all();
    });
}

// Once for the order: it goes through all conversations.
Result<void> Runner::list_chains(const Order& order) {
    std::vector<Target> targets;
    std::set<DeviceId> devices;
    for (const auto& target : order.targets)
        if (target.has(Step::recorded) && waits_for(order, target, Step::chains_listed)) {
            targets.push_back(target);
            devices.insert(target.subject.device());
        }
    if (targets.empty()) return {};
    auto owed = needs_.hands.owed(devices);
    if (!owed) return pass(owed);
    const std::lock_guard lock(mutex_);
    auto next = runs_.at(order.id).order;
    for (auto& target : targets) {
        target = *target_in(next.targets, target.subject);  // other steps may have been confirmed meanwhile
        target.done[static_cast<std::size_t>(Step::chains_listed)] = needs_.clock.now();
        *target_in(next.targets, target.subject) = target;
    }
    next.owed.insert(next.owed.end(), owed->begin(), owed->end());
    std::sort(next.owed.begin(), next.owed.end());
    next.owed.erase(std::unique(next.owed.begin(), next.owed.end()), next.owed.end());
    if (auto ok = journal_.list(next, targets); !ok) return ok;
    runs_.at(order.id).order = std::move(next);
    return {};
}

Result<void> Runner::look_at_owed(const Order& order) {
    if (order.ended == 0 || order.owed.empty()) return {};
    auto owed = order.owed;
    if (auto ok = needs_.hands.drop_renewed(owed); !ok) return ok;
    if (owed == order.owed) return {};
    const std::lock_guard lock(mutex_);
    auto& held = runs_.at(order.id).order;
    auto next = held;
    next.owed = std::move(owed);
    if (auto ok = journal_.list(next, {}); !ok) return ok;
    held = std::move(next);
    return {};
}

Result<void> Runner::finish(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    auto next = runs_.at(id).order;
    if (!next.complete()) return {};
    const auto now = needs_.clock.now();
    const bool ends = next.ended == 0, renewed = next.owed.empty();
    if (ends) next.ended = now;
    if (renewed) next.renewed = now;
    if (!ends && !renewed) return {};
    if (auto ok = journal_.end(next); !ok) return ok;
    if (renewed) runs_.erase(id);
    else runs_.at(id).order = std::move(next);
    if (ends) needs_.log.info("revocation_complete", {{"order", std::to_string(id)}});
    return {};
}

// False word for a later order's device: what it confirms is no step of this one any more.
Result<void> Runner::done(std::uint64_t id, const Devices& devices, Step step) {
    const std::lock_guard lock(mutex_);
    const auto run = runs_.find(id);
    if (run == runs_.end()) return {};
    auto& targets = run->second.order.targets;
    const auto now = needs_.clock.now();
    std::vector<Target> next;
    for (const auto& device : devices) {
        const auto* target = target_in(targets, Subject::of(device));
        if (target == nullptr || target->superseded != 0 || target->has(step)) continue;
        next.push_back(*target);
        next.back().done[static_cast<std::size_t>(step)] = now;
    }
    if (next.empty()) return {};
    if (auto ok = journal_.mark(id, next); !ok) return ok;
    for (const auto& target : next) *target_in(targets, target.subject) = target;
    return {};
}

}  // namespace nimes::gateway::revocation
