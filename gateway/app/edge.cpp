#include "app/edge.hpp"

#include <algorithm>

namespace nimes::gateway::app {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr std::size_t kMaxEvents = 10'000;

}  // namespace

void Edge::start(broker::Link& link) {
    link_ = &link;
    needs_.metrics.broker_linked.of(needs_.name).set(0);  // the alert wants it to be there
    thread_ = std::thread([this] { run(); });
}

void Edge::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Edge::push(Event event) {
    {
        const std::lock_guard lock(mutex_);
        if (std::holds_alternative<Moved>(event) && !events_.empty() && std::holds_alternative<Moved>(events_.back()))
            return;                                             // the feed looks at the newest in any case
        if (events_.size() >= kMaxEvents) events_.pop_front();  // states repeat
        events_.push_back(std::move(event));
    }
    wake_.notify_one();
}

void Edge::mirror_moved() { push(Moved{}); }
void Edge::linked() {
    needs_.metrics.broker_linked.of(needs_.name).set(1);
    needs_.log.info("broker_linked", {{"broker", needs_.name}});
    needs_.presences.linked(needs_.number);
    needs_.mailroom.linked();
    push(Linked{});
}
void Edge::unlinked() {
    needs_.metrics.broker_linked.of(needs_.name).set(0);
    needs_.log.warning("broker_unlinked", {{"broker", needs_.name}});
    push(Unlinked{});
}
void Edge::edge_state(const EdgeState& state) { push(state); }

void Edge::presence(const Presence& presence) {
    if (presence.kind == Presence::Kind::connected && needs_.waker != nullptr) needs_.waker->came(presence.device);
    const auto number = needs_.presences.take(needs_.number, presence);
    if (!number) return;
    if (presence.kind == Presence::Kind::connected) needs_.mailroom.connected(presence.device, *number);
    else needs_.mailroom.gone(presence.device, *number);
}

void Edge::figure(std::string_view topic, double value) {
    if (topic.ends_with("/messages/dropped")) needs_.metrics.broker_publish_dropped.of(needs_.name).follow(value);
}

void Edge::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        wake_.wait_for(lock, kTick, [this] { return stopping_ || !events_.empty(); });
        auto events = std::exchange(events_, {});
        lock.unlock();
        for (const auto& event : events) handle(event);
        send(needs_.feed.tick());
        show_lag();
        // Also while no broker says anything: that is when it matters.
        const auto pending = needs_.revocations.pending();
        needs_.metrics.revocations_pending.set(static_cast<double>(pending));
        if (pending > 0) confirm();  // one that was away is waited for no longer
        lock.lock();
    }
}

// In the order in which they came: what a broker said before it was linked anew must not count for afterwards.
void Edge::handle(const Event& event) {
    if (std::holds_alternative<Linked>(event)) {
        holds_ = 0;
        needs_.obedience.linked(needs_.number);
        return needs_.feed.linked();
    }
    if (std::holds_alternative<Unlinked>(event)) {
        holds_ = 0;
        return needs_.obedience.unlinked(needs_.number);
    }
    if (std::holds_alternative<Moved>(event)) return send(needs_.feed.changed());
    on_state(std::get<EdgeState>(event));
}

void Edge::on_state(const EdgeState& state) {
    const auto& m = needs_.metrics;
    const auto& name = needs_.name;
    m.broker_admitted.of(name).follow(static_cast<double>(state.admitted));
    m.broker_refused.of(name).follow(static_cast<double>(state.refused));
    m.broker_denied.of(name).follow(static_cast<double>(state.denied));
    m.broker_kicked.of(name).follow(static_cast<double>(state.kicked));
    m.broker_tick_gap_max_seconds.of(name).set(static_cast<double>(state.tick_gap_max) / 1'000.0);
    // One that is ahead of the directory holds what an older copy of the store never said.
    const bool knows = !state.wants_full && state.mirror_revision <= needs_.mirror.revision();
    holds_ = knows ? state.mirror_revision : 0;
    needs_.obedience.holds(needs_.number, holds_);
    confirm();
    send(needs_.feed.on_state(state));
}

void Edge::confirm() {
    if (const auto all = needs_.obedience.all_told()) needs_.revocations.told(*all);
    const auto all = needs_.obedience.all_hold();
    if (!all) return;
    for (const auto seconds : needs_.revocations.obeyed(*all))
        needs_.metrics.revocation_effective_seconds.observe(seconds);
}

void Edge::show_lag() {
    const auto now = needs_.clock.boot();
    if (holds_ >= awaited_) awaited_ = needs_.mirror.revision(), awaited_since_ = now;
    const auto behind = holds_ < awaited_ ? now - awaited_since_ : 0;
    needs_.metrics.broker_mirror_revision.of(needs_.name).set(static_cast<double>(holds_));
    needs_.metrics.broker_mirror_lag_seconds.of(needs_.name).set(static_cast<double>(behind) / 1'000.0);
}

void Edge::send(std::vector<Bytes> parts) {
    for (auto& part : parts) link_->control(std::move(part));
    if (parts.empty()) return;
    needs_.obedience.told(needs_.number, needs_.feed.sent());
    confirm();
}

}  // namespace nimes::gateway::app
