#include "identity/identity.hpp"

#include "nimes/encoding.hpp"
#include "nimes/topics.hpp"

namespace nimes::plugin {
namespace {

constexpr Millis kReportEvery = 5 * kSecond;
constexpr Millis kTickMissing = 5 * kSecond;
constexpr Millis kLogRefusalsEvery = 10 * kSecond;
constexpr Millis kSaveAgain = 10 * kSecond;
constexpr std::size_t kPresencesAtOnce = 500;

}  // namespace

Identity::Identity(Options options, const Clock& clock, BrokerPort& port)
    : options_(std::move(options)),
      clock_(clock),
      port_(port),
      started_(clock.now()),
      writer_(options_.snapshot),
      admission_(options_, started_),
      sessions_(options_.rate_per_second, options_.rate_burst, started_),
      relay_(std::size_t{options_.relay_mib} << 20, started_) {
    auto table = load_snapshot(options_, started_, log_);
    if (table) {
        mirror_ = std::move(*table);
        port_.log(Level::info, "identity: snapshot loaded, revision " + std::to_string(mirror_.revision()) + ", " +
                                   std::to_string(mirror_.size()) + " devices");
    } else {
        port_.log(Level::warning,
                  "identity: no device is admitted until the gateway sends a mirror: " + table.error().text());
    }
    counters_.started = started_;
    last_tick_ = clock_.boot();
}

bool Identity::refuse(Refusal refusal) {
    ++counters_.refused;
    ++refused_by_reason_[static_cast<std::size_t>(refusal)];
    return false;
}

// With per_listener_settings the broker never delivers TICK: revoked devices would never be cut.
bool Identity::tick_is_missing(Millis) { return clock_.boot() > last_tick_ + kTickMissing; }

bool Identity::on_auth(const void* connection, const Connect& connect) {
    const auto now = clock_.now();
    if (reloading_) {
        const auto* who = sessions_.who(connection);
        // A session without a connection: nothing is let in by leaving it, and a refusal would end it, which corrupts
        // the broker's lists. Who comes back to it is asked anew.
        if (who == nullptr) return true;
        return admission_.still_welcome(*who, mirror_, now) || refuse(Refusal::revoked);
    }
    if (tick_is_missing(now)) {
        port_.log(Level::error,
                  "identity: no TICK from the broker for 5 s (per_listener_settings must be false): refusing");
        return refuse(Refusal::tick);
    }
    const auto verdict = admission_.judge(connect, mirror_, now);
    if (!verdict.who) return refuse(verdict.refusal);
    ++counters_.admitted;
    tell(sessions_.gone(connection, now));
    sessions_.admitted(connection, *verdict.who, now);
    return true;
}

bool Identity::on_acl(const void* connection, const Ask& ask) {
    const auto now = clock_.now();
    const auto* who = sessions_.who(connection);
    const bool good = who != nullptr && allowed(*who, ask, options_.broker) &&
                      admission_.still_welcome(*who, mirror_, now) &&
                      (ask.act != Act::write || sessions_.spend(connection, now));
    if (!good) {
        ++counters_.denied;
        return false;
    }
    if (ask.act == Act::subscribe || ask.act == Act::write) tell(sessions_.seen(connection, now));
    // A gateway that comes, or comes back, knows nobody: it is told who is here and what the mirror holds.
    if (who->gateway && ask.act == Act::subscribe && ask.topic == topic::kEdgeSubscription) announce_ = true;
    if (who->gateway && ask.act == Act::subscribe && ask.topic == topic::kBatchSubscription)
        relay_.gateway_came(connection);
    return true;
}

// A publish of QoS 1 goes its own way through the broker: its sender wants the broker's answer.
bool Identity::on_message(const void* connection, ByteView payload, int qos) {
    const auto* who = sessions_.who(connection);
    if (who == nullptr || who->gateway || qos != 0) return false;
    (void)relay_.take(who->device, payload);  // what is dropped is counted there, and repeated by its sender
    return true;
}

void Identity::on_down(const void* connection, ByteView batch) {
    const auto* who = sessions_.who(connection);
    if (who != nullptr && who->gateway) downs_.push_back(to_bytes(batch));
}

void Identity::on_control(const void* connection, ByteView payload) {
    const auto* who = sessions_.who(connection);
    if (who == nullptr || !who->gateway) return;
    const auto part = MirrorPart::open(payload, options_.directory_key, options_.org, options_.broker);
    if (!part) {
        port_.log(Level::warning, "identity: a mirror part was refused: " + part.error().text());
        return;
    }
    if (part->issued > clock_.now() + 10 * kMinute) {
        port_.log(Level::warning, "identity: a mirror part from the future was refused; check the clocks");
        return;
    }
    const auto applied = mirror_.apply(*part);
    log_.add(payload, *part, applied.outcome);
    kicks_.insert(kicks_.end(), applied.shut.begin(), applied.shut.end());
    dirty_ = dirty_ || applied.outcome == MirrorTable::Outcome::applied;
}

void Identity::on_disconnect(const void* connection) {
    relay_.gateway_went(connection);
    tell(sessions_.gone(connection, clock_.now()));
}

// Where the broker never delivers TICK nothing would end it, and everybody would be let in.
void Identity::on_reload() { reloading_ = ticked_; }

void Identity::tell(const std::optional<Presence>& presence) {
    if (presence) presences_.push_back(*presence);
}

void Identity::on_tick() {
    reloading_ = false;
    ticked_ = true;
    const auto boot = clock_.boot();
    counters_.tick_gap_max = std::max(counters_.tick_gap_max, boot - std::min(boot, last_tick_));
    last_tick_ = boot;
    drain_kicks();
    if (std::exchange(announce_, false)) {
        for (const auto& presence : sessions_.all(clock_.now())) presences_.push_back(presence);
        last_report_ = 0;
    }
    drain_presences();
    drain_packets(boot);
    const auto now = clock_.now();
    report(now);
    save();
}

// Only devices that are connected now: kicking an offline session corrupts the broker's lists.
void Identity::drain_kicks() {
    const auto kicks = std::exchange(kicks_, {});
    for (const auto& device : kicks) {
        if (!sessions_.connected(device)) continue;
        ++counters_.kicked;
        port_.kick(to_text(device));
    }
}

// Many in a packet: ten thousand that come at once must not overflow the gateway's queue.
void Identity::drain_presences() {
    while (!presences_.empty()) {
        Writer out;
        for (; !presences_.empty() && out.size() < kPresencesAtOnce * Presence::kBytes; presences_.pop_front())
            out.bytes(presences_.front().encode());
        port_.publish(topic::edge_presence(options_.broker), out.view());
    }
}

void Identity::drain_packets(Millis boot) {
    for (const auto& bytes : std::exchange(downs_, {})) {
        const auto batch = DownBatch::parse(bytes);
        if (!batch) {
            port_.log(Level::warning, "identity: a batch of the gateway was refused: " + batch.error().text());
            continue;
        }
        for (const auto number : batch->done) relay_.done(number);
        for (const auto& packet : batch->packets)
            if (sessions_.connected(packet.device)) port_.publish(topic::down(packet.device), packet.bytes);
    }
    while (const auto* batch = relay_.next(boot)) port_.publish(topic::up_batch(options_.broker), *batch);
}

void Identity::report(Millis now) {
    counters_.mirror_revision = mirror_.revision();
    counters_.wants_full = mirror_.wants_full() || log_.wants_full();
    counters_.devices = mirror_.size();
    counters_.connected = sessions_.devices();
    const bool moved =
        counters_.mirror_revision != reported_.mirror_revision || counters_.wants_full != reported_.wants_full;
    if (!moved && now < last_report_ + kReportEvery && now >= last_report_) return;
    last_report_ = now;
    reported_ = counters_;
    port_.publish(topic::edge_state(options_.broker), counters_.encode());
    counters_.tick_gap_max = 0;

    if (now < refusals_logged_ + kLogRefusalsEvery) return;
    refusals_logged_ = now;
    std::string text;
    for (std::size_t i = 0; i < refused_by_reason_.size(); ++i)
        if (refused_by_reason_[i] > 0)
            text += " " + std::string(name_of(static_cast<Refusal>(i))) + "=" +
                    std::to_string(std::exchange(refused_by_reason_[i], 0));
    if (!text.empty()) port_.log(Level::info, "identity: refused since the last line:" + text);
}

void Identity::save() {
    const auto boot = clock_.boot();
    if (writer_.take_failure()) {
        port_.log(Level::error, "identity: the snapshot could not be written; it is tried again in ten seconds");
        dirty_ = true;
        save_again_ = boot + kSaveAgain;  // not at each tick: the log may be on the disk that is full
    }
    if (boot >= save_again_ && std::exchange(dirty_, false)) writer_.write(log_.file());
}

}  // namespace nimes::plugin
