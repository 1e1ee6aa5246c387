#include "revocation/runner.hpp"

#include <algorithm>

#include "nimes/encoding.hpp"

namespace nimes::gateway::revocation {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
Target target_of(const Subject& subject) {
    Target out;
    out.subject = subject;
    return out;
}

audit::Act act_of(const Order& order, const Names& names) {
    audit::Act out{order.who, std::string(name(order.kind)), {{"order", order.id}, {"scope", order.scope}}, order.why};
    if (order.reason) out.whom["reason"] = name(*order.reason);
    auto people = nlohmann::ordered_json::array(), devices = people;
    for (const auto& t : order.targets)
        if (t.subject.is_device()) devices.push_back(to_text(t.subject.device()));
        else people.push_back(names.address(t.subject));
    if (!people.empty()) out.whom["people"] = std::move(people);
    if (!devices.empty()) out.whom["devices"] = std::move(devices);
    return out;
}

}  // namespace

Result<void> Runner::load() {
    auto open = journal_.open();
    if (!open) return pass(open);
    for (auto& order : *open) runs_[order.id].order = std::move(order);
    noticed_ = needs_.hands.revoked();
    return {};
}

void Runner::start() {
    thread_ = std::thread([this] { run(); });
}

void Runner::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Runner::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        round();
        lock.lock();
        wake_.wait_for(lock, kTick, [this] { return stopping_ || woken_; });
        woken_ = false;
    }
}

void Runner::round() {
    std::vector<DeviceId> noticed;
    std::vector<std::uint64_t> ids;
    {
        const std::lock_guard lock(mutex_);
        noticed.swap(noticed_);
    }
    for (const auto& device : noticed) pick_up(device);
    {
        const std::lock_guard lock(mutex_);
        const auto now = needs_.clock.boot();
        for (const auto& [id, run] : runs_)
            if (run.again <= now) ids.push_back(id);
    }
    for (const auto id : ids) advance(id);
}

// What no order says: its owner did it, or a crash came before the order.
void Runner::pick_up(const DeviceId& device) {
    const auto found = needs_.hands.revoked(device);
    if (!found) return;
    auto known = journal_.newest_of(device);
    if (known && *known && (*known)->kind == Kind::revoke) return;
    auto made = known ? order({Kind::revoke, found->reason, found->wipe, "device", found->who, {}, {}, {device}})
                      : Result<Order>(pass(known));
    if (made) return;
    needs_.log.error("revocation_not_journalled", {{"code", made.error().row().name}});
    const std::lock_guard lock(mutex_);
    noticed_.push_back(device);
}

Result<Order> Runner::given(std::uint64_t id) {
    auto order = find(id);
    if (!order) return pass(order);
    if (!*order) return fail(Errc::storage, "an order that a device names is not there");
    return std::move(**order);
}

// A device that is out can be replaced; a person who is out is out.
Result<Keeper::Held> Runner::may_be_given(const Order& order) {
    std::set<std::string> people;
    for (const auto& t : order.targets)
        if (order.kind != Kind::reinstate && !t.subject.is_device()) people.insert(needs_.names.address(t.subject));
    if (people.empty()) return Keeper::Held();
    return needs_.keeper.may_shut_out(people);
}

Result<Order> Runner::order(const Draft& draft) {
    const std::lock_guard acting(acting_);
    Order order{0, draft.kind, draft.reason, draft.wipe, draft.scope, draft.who, draft.why, needs_.clock.now(),
                0, {},         {},           0};
    std::set<Subject> subjects;
    std::optional<std::uint64_t> before;
    for (const auto& user : draft.people) subjects.insert(Subject::of(user));
    for (const auto& device : draft.devices) {
        auto known = journal_.newest_of(device);
        if (!known) return pass(known);
        const bool revoked = *known && (*known)->kind == Kind::revoke;
        // Asked here, where nothing comes between: an order that takes this one's place would leave it half done.
        if (revoked && draft.kind != Kind::revoke) return fail(Errc::device_revoked, "revoked, and that is final");
        if (revoked) before = (*known)->order;
        else subjects.insert(Subject::of(device));
    }
    if (subjects.empty()) return before ? given(*before) : fail(Errc::usage, "nobody is named");
    for (const auto& subject : subjects) order.targets.push_back(target_of(subject));
    const auto held = may_be_given(order);  // until it is recorded
    if (!held) {
        auto refused = act_of(order, needs_.names);
        refused.what += " failed";
        refused.whom.erase("order");
        refused.whom["code"] = held.error().row().name;
        if (auto ok = needs_.audit.write(refused); !ok) return pass(ok);
        return fail(held.error().code, held.error().detail);
    }
    auto id = journal_.next_id();
    if (!id) return pass(id);
    order.id = *id;
    auto begun = needs_.audit.write(act_of(order, needs_.names), [&](const store::Batch& row) {
        const std::lock_guard lock(mutex_);
        const auto old = superseded_by(order.targets, order.id);
        auto stored = journal_.begin(order, old, row);
        if (!stored) return stored;
        supersede(old);
        runs_[order.id].order = order;
        return stored;
    });
    if (!begun) return pass(begun);
    auto recorded = record(order.id);
    const std::lock_guard lock(mutex_);
    woken_ = true;
    wake_.notify_all();
    if (!recorded)
        return fail(recorded.error().code,
                    "order " + std::to_string(order.id) + " stands, and is carried out once this is over");
    return runs_.at(order.id).order;
}

void Runner::noticed(const DeviceId& device) {
    const std::lock_guard lock(mutex_);
    noticed_.push_back(device);
    woken_ = true;
    wake_.notify_all();
}

Runner::Superseded Runner::superseded_by(std::vector<Target> targets, std::uint64_t id) const {
    Superseded out;
    for (const auto& [old, run] : runs_) {
        if (old == id || run.order.ended != 0) continue;
        for (auto target : run.order.targets) {
            if (run.order.finished(target) || target_in(targets, target.subject) == nullptr) continue;
            target.superseded = needs_.clock.now();
            out.push_back({old, target});
        }
    }
    return out;
}

void Runner::supersede(const Superseded& old) {
    for (const auto& s : old)
        if (auto* target = target_in(runs_.at(s.order).order.targets, s.target.subject)) *target = s.target;
}

std::optional<Order> Runner::copy(std::uint64_t id) const {
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(id);
    if (at == runs_.end()) return std::nullopt;
    return at->second.order;
}

std::size_t Runner::broker_did(Order& order, std::uint64_t mirror_revision, Step step) {
    if (order.ended != 0) return 0;
    const auto now = needs_.clock.now();
    std::vector<Target> next;
    for (auto target : order.targets) {
        if (target.mirror_revision == 0 || target.mirror_revision > mirror_revision || target.has(step) ||
            target.superseded != 0)
            continue;
        for (const auto s : {Step::broker_told, step})  // what it obeys, it was told
            if (!target.has(s)) target.done[static_cast<std::size_t>(s)] = now;
        next.push_back(target);
    }
    if (next.empty() || !journal_.mark(order.id, next)) return 0;
    for (const auto& target : next) *target_in(order.targets, target.subject) = target;
    return next.size();
}

void Runner::told(std::uint64_t mirror_revision) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, run] : runs_) (void)broker_did(run.order, mirror_revision, Step::broker_told);
}

std::vector<double> Runner::obeyed(std::uint64_t mirror_revision) {
    std::vector<double> out;
    const std::lock_guard lock(mutex_);
    for (auto& [id, run] : runs_) {
        const auto n = broker_did(run.order, mirror_revision, Step::broker_obeyed);
        if (n == 0) continue;
        woken_ = true;
        if (run.order.kind == Kind::revoke)
            out.insert(out.end(), n, static_cast<double>(needs_.clock.now() - run.order.ordered) / 1'000.0);
    }
    if (woken_) wake_.notify_all();
    return out;
}

Result<std::optional<Order>> Runner::find(std::uint64_t id) {
    if (auto held = copy(id)) return held;
    return journal_.find(id);
}

Result<std::optional<Order>> Runner::newest_of(const DeviceId& device) {
    auto id = journal_.newest_of(device);
    if (!id) return pass(id);
    if (!*id) return std::optional<Order>();
    return find((*id)->order);
}

Result<std::vector<Order>> Runner::newest(std::uint64_t before, std::size_t limit) {
    return journal_.newest(before, limit);
}

std::size_t Runner::pending() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const auto& r) { return r.second.order.ended == 0; }));
}

}  // namespace nimes::gateway::revocation
