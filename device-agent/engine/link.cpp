#include "engine/link.hpp"

#include <algorithm>
#include <utility>

#include "engine/packets.hpp"
#include "engine/paths.hpp"
#include "media/outgoing.hpp"

namespace nimes::agent::engine {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr Millis kFetchAgain = kMinute;
constexpr Millis kHurryAgain = 5 * kSecond;
constexpr Millis kStatusAgain = kMinute;
constexpr Millis kLongestSpread = 10 * kMinute;
constexpr std::size_t kMaxQueue = 10'000;

Bytes hello_of(const Core& core) {
    return hello_packet(core.marks, core.directory->head().revision, core.provisioning->policy.serial);
}

}  // namespace

Link::Link(Core& core, Network& network, Sync& sync, Compose& compose, const SessionMaker& make)
    : core_(core),
      network_(network),
      sync_(sync),
      compose_(compose),
      session_(make([this](transport::MqttEvent e) { push(std::move(e)); })),
      outbox_(core, *session_),
      inbox_(core, compose),
      rosters_(core, network, sync),
      duties_(core, sync, compose),
      recovery_(core, compose) {}
Link::~Link() { stop(); }

Result<void> Link::load() {
    const Lock lock(core_.mutex);
    return outbox_.load();
}

Result<void> Link::start() {
    if (auto ok = load(); !ok) return ok;
    thread_ = std::thread([this] { run(); });
    return session_->start();
}

void Link::stop() {
    session_->stop();
    {
        const std::lock_guard lock(queue_mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool Link::synced() const {
    if (!welcomed_) return false;
    for (const auto& [lane, sequence] : newest_) {
        const auto at = core_.marks.find(lane);
        if (sequence > 0 && (at == core_.marks.end() || at->second < sequence)) return false;
    }
    return true;
}

void Link::push(transport::MqttEvent event) {
    {
        const std::lock_guard lock(queue_mutex_);
        if (queue_.size() >= kMaxQueue) return;  // not acknowledged: the gateway sends it again
        queue_.push_back(std::move(event));
    }
    wake_.notify_one();
}

void Link::run() {
    auto next_tick = std::chrono::steady_clock::now() + kTick;
    for (;;) {
        std::deque<transport::MqttEvent> events;
        {
            const auto until = wake_at(next_tick);
            std::unique_lock wait(queue_mutex_);
            wake_.wait_until(wait, until, [this] { return stopping_ || !queue_.empty(); });
            if (stopping_) return;
            events.swap(queue_);
        }
        for (const auto& event : events) handle(event);
        if (acks_.owed() && core_.clock.boot() >= acks_.due()) {
            const Lock lock(core_.mutex);
            acknowledge();
        }
        if (std::chrono::steady_clock::now() < next_tick) continue;
        tick();
        next_tick = std::chrono::steady_clock::now() + kTick;
    }
}

// acks_ changes on this thread alone.
std::chrono::steady_clock::time_point Link::wake_at(std::chrono::steady_clock::time_point next_tick) const {
    if (!acks_.owed()) return next_tick;
    const auto boot = core_.clock.boot();
    const auto left = std::chrono::milliseconds(acks_.due() - std::min(boot, acks_.due()));
    return std::min(next_tick, std::chrono::steady_clock::now() + left);
}

void Link::network_changed(const std::string& key) {
    note(Flight::network);
    session_->network_changed(key);
}

void Link::hurry() {
    const auto boot = core_.clock.boot();
    if (session_->connected() || boot < next_hurry_) return;
    next_hurry_ = boot + kHurryAgain;
    session_->try_now();
}

void Link::greet_again() { welcomed_ = !session_->publish(hello_of(core_)) && welcomed_; }

void Link::note(Flight what, std::uint8_t cause, std::uint16_t code, std::uint64_t value) {
    core_.flight.note(
        {core_.clock.now(), what, cause, code, static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX))});
}

void Link::handle(const transport::MqttEvent& event) {
    Lock lock(core_.mutex);
    handle(lock, event);
}

void Link::tick() {
    Lock lock(core_.mutex);
    tick(lock);
}

void Link::handle(Lock& lock, const transport::MqttEvent& event) {
    if (std::holds_alternative<transport::Connected>(event)) return on_connected();
    if (const auto* packet = std::get_if<transport::Packet>(&event)) return on_packet(lock, packet->bytes);
    if (const auto* alive = std::get_if<transport::Alive>(&event)) {
        if (!alive->heard && unheard_.silent(core_.clock.boot())) note(Flight::unheard);
        return;
    }
    if (const auto* learned = std::get_if<transport::PathLearned>(&event)) {
        if (learned->path.fell != 0) note(Flight::silent, 0, 0, learned->path.silence / kSecond);
        (void)put_path(core_, learned->network, learned->path);
        return;
    }
    on_ended(lock, std::get<transport::Disconnected>(event));
}

void Link::on_connected() {
    connected_at_ = core_.clock.boot();
    unheard_.connected();
    note(Flight::connected);
    said_hello_ = sync_.keys().erasing_now();
    acks_.settled();
    (void)session_->publish(hello_of(core_));
    outbox_.connected();
    core_.changed.notify_all();
    sync_due_.connected(connected_at_);
    send_new();
}

void Link::sync_if_due(Lock& lock) {
    const auto boot = core_.clock.boot();
    if (!session_->connected() || !sync_due_.due(boot, synced(), core_.stale.contains(core_.own().user))) return;
    if (acks_.owed()) acknowledge();  // the directory may take seconds
    sync_due_.asked(boot, sync_.run(lock).has_value());
    core_.changed.notify_all();
    go_on(lock);
}

void Link::on_ended(Lock& lock, const transport::Disconnected& end) {
    using transport::DisconnectCause;
    welcomed_ = false;
    acks_.settled();  // the next Hello says it
    const auto cause = static_cast<std::uint8_t>(end.cause);
    if (end.was_connected) note(Flight::ended, cause, end.reason, (core_.clock.boot() - connected_at_) / kSecond);
    else note(Flight::failed, cause, end.reason, end.next_try_in);
    core_.changed.notify_all();
    if (end.cause == DisconnectCause::refused || end.cause == DisconnectCause::closed) on_refused(lock);
    if (!end.was_connected && end.cause != DisconnectCause::asked) ask_status(lock);
}

// The broker is away, or does not want us: the gateway may know how long to stay away, and what time it is.
void Link::ask_status(Lock& lock) {
    const auto boot = core_.clock.boot();
    if (boot < next_status_) return;
    next_status_ = boot + kStatusAgain;
    lock.unlock();
    const auto status = network_.status();
    lock.lock();
    if (!status) return note(Flight::told, 0, static_cast<std::uint16_t>(status.error().code));
    session_->spread_next_connect(std::min(status->spread, kLongestSpread));
}

// The broker's refusal is mute. The gateway says why, to who proves to be this device.
void Link::on_refused(Lock& lock) {
    const auto revision = core_.directory->head().revision;
    lock.unlock();
    const auto answer = network_.head(revision);
    lock.lock();
    if (answer) {
        if (core_.shut_out != Errc::device_revoked) core_.shut_out.reset();
    } else if (answer.error().code == Errc::device_revoked || answer.error().code == Errc::device_suspended) {
        if (core_.shut_out != answer.error().code)
            note(Flight::shut_out, 0, static_cast<std::uint16_t>(answer.error().code));
        core_.shut_out = answer.error().code;
    } else {
        note(Flight::told, 0, static_cast<std::uint16_t>(answer.error().code));
    }
    core_.changed.notify_all();
}

void Link::on_packet(Lock& lock, const Bytes& packet) {
    unheard_.heard();
    v1::Down down;
    if (!down.ParseFromArray(packet.data(), static_cast<int>(packet.size()))) return;
    if (!down.has_bundle()) return on_down(lock, down);
    for (const auto& one : down.bundle().packets()) on_down(lock, one);
}

void Link::on_down(Lock& lock, const v1::Down& down) {
    switch (down.kind_case()) {
        case v1::Down::kWelcome:
            return on_welcome(lock, down.welcome());
        case v1::Down::kAccepted:
            return on_accepted(lock, down.accepted());
        case v1::Down::kRejected: {
            const auto& r = down.rejected();
            const auto* known = row(std::string_view(r.code()));
            const Error error{known != nullptr ? known->code : Errc::internal, r.detail()};
            note(Flight::refused, 0, static_cast<std::uint16_t>(error.code), r.retry_after_ms());
            (void)outbox_.rejected(MessageId::from(as_bytes(r.message_id())), error, r.retry_after_ms());
            return;
        }
        case v1::Down::kDeliver:
            return on_deliver(lock, down.deliver());
        case v1::Down::kHead: {
            std::vector<UserId> users;
            for (const auto& user : down.head().changed_users())
                if (user.size() == UserId::size) users.push_back(UserId::from(as_bytes(user)));
            core_.mark_changed(users, down.head().too_many());
            if (core_.stale.contains(core_.own().user)) sync_due_.wanted(core_.clock.boot());
            return sync_if_due(lock);
        }
        case v1::Down::kGreet:
            return greet_again();
        case v1::Down::kBundle:  // inside a bundle: nobody makes these
        case v1::Down::KIND_NOT_SET:
            return;
    }
}

void Link::on_welcome(Lock& lock, const v1::Welcome& welcome) {
    session_->spread_next_connect(std::min<Millis>(welcome.reconnect_spread_ms(), kLongestSpread));
    core_.learn_time(welcome.server_ms());
    note(Flight::welcomed, 0, 0,
         static_cast<std::uint32_t>(core_.clock_offset().value_or(0) / static_cast<std::int64_t>(kSecond)));
    newest_.clear();
    for (const auto& mark : welcome.newest()) newest_[static_cast<std::uint8_t>(mark.lane())] = mark.sequence();
    std::vector<UserId> users;
    for (const auto& user : welcome.head().changed_users())
        if (user.size() == UserId::size) users.push_back(UserId::from(as_bytes(user)));
    core_.mark_changed(users, welcome.head().too_many());
    (void)sync_.keys().welcomed(welcome.seal_batch_no());
    if (!welcome.policy().empty()) (void)core_.take_policy(as_bytes(welcome.policy()));
    std::vector<Gap> gaps;
    for (const auto& gap : welcome.gaps()) gaps.push_back({gap.after_ms(), gap.until_ms()});
    (void)outbox_.lost_by_gateway(gaps);
    welcomed_ = true;
    core_.changed.notify_all();
    go_on(lock);
    sync_if_due(lock);
}

void Link::on_accepted(Lock& lock, const v1::Accepted& accepted) {
    const auto id = MessageId::from(as_bytes(accepted.message_id()));
    const auto conversation = outbox_.conversation_of(id);
    const auto event = outbox_.event_of(id);
    if (event && !compose_.event_accepted(*event)) return;  // asked again, and answered again
    if (!outbox_.accepted(id, accepted.received_ms()) || !conversation) return;
    if (event) return go_on(lock);  // what was held for this roster
    if (accepted.missing_size() == 0) return;
    std::vector<UserId> users;
    for (const auto& missing : accepted.missing())
        if (missing.user().size() == UserId::size) users.push_back(UserId::from(as_bytes(missing.user())));
    core_.mark_changed(users, false);
    if (!sync_.bring_up(lock, users)) return;
    // The next message opens for them by the grant, this one by being sent again.
    std::vector<DeviceId> devices;
    for (const auto& missing : accepted.missing())
        if (missing.device().size() == DeviceId::size) devices.push_back(DeviceId::from(as_bytes(missing.device())));
    if (compose_.grant_missing(*conversation) && recovery_.send_again(id, devices)) send_new();
}

void Link::on_deliver(Lock& lock, const v1::Deliver& deliver) {
    if (!inbox_.deliver(deliver)) return;  // not acknowledged: it comes again
    acks_.stored(static_cast<std::size_t>(
                     std::count_if(deliver.envelopes().begin(), deliver.envelopes().end(),
                                   [](const auto& e) { return e.payload_case() != v1::Envelope::kSignal; })),
                 core_.clock.boot());
    const bool gap = inbox_.take_gap();
    if (gap || (acks_.owed() && core_.clock.boot() >= acks_.due())) acknowledge(gap);
    go_on(lock);
    sync_if_due(lock);
}

void Link::acknowledge(bool gap) {
    // Not taken: offline, and the next Hello says it; or the queue is full, and the next packet does.
    if (session_->publish(ack_packet(core_.marks, gap), transport::Expect::nothing)) acks_.settled();
    core_.changed.notify_all();
}

// What held items wait for is fetched, and they are tried again.
void Link::go_on(Lock& lock) {
    if (core_.wants()) (void)sync_.fetch_wanted(lock);
    if (!core_.wanted_events.empty()) (void)rosters_.fetch(lock);
    (void)inbox_.retry_held();
    send_new();  // what was asked of us and answered
    if (synced()) note_drained(said_hello_);
}

// Old private halves wait for this (FORMATS.md 2.4). Nothing is over now that was not over when this was noted last.
void Link::note_drained(Millis at) {
    if (at <= core_.seal_book.drained) return;
    if (sync_.keys().drained(at)) (void)sync_.keys().erase_over();
}

void Link::tick(Lock& lock) {
    const auto boot = core_.clock.boot();
    const bool sent = outbox_.tick();
    if (session_->connected() && unheard_.moves(boot)) session_->elsewhere();
    if (acks_.owed() && (sent || boot >= acks_.due())) acknowledge();
    sync_if_due(lock);
    // What only the doubted clock kept back: what comes next might overtake it.
    if (const bool doubted = core_.clock_doubted(); std::exchange(doubted_, doubted) && !doubted) go_on(lock);
    if (core_.one_time_used >= sealing::kOneTimeKeys - sealing::kFewOneTimeKeys) {
        core_.one_time_used = 0;
        sync_due_.wanted(boot);  // the gateway says how many are left
    }
    if (boot >= next_expiry_) {
        next_expiry_ = boot + kHour;
        // What comes while a connection stands is pushed at once: an hour later nothing of it waits any more.
        if (synced()) note_drained(std::max(said_hello_, sync_.keys().erasing_now() - kHour));
        (void)core_.box->expire(std::min(core_.clock.now(), core_.now()));
    }
    core_.settle_policy();
    if (const auto grew = duties_.run(lock, welcomed_); grew && *grew) send_new();
    // Duties want entries and rosters too, and nothing may come that would fetch them.
    const bool wants = core_.wants() || !core_.wanted_events.empty();
    if (session_->connected() && wants && boot >= next_fetch_) {
        next_fetch_ = boot + kFetchAgain;
        go_on(lock);
    }
    if (session_->connected()) upload_due(lock);
}

void Link::send_new() {
    if (outbox_.load() && outbox_.flush() && acks_.owed()) acknowledge();
}

// After a restart: media whose upload an earlier process began.
void Link::upload_due(Lock& lock) {
    for (const auto& item : outbox_.uploads_due()) {
        if (core_.uploading.contains(item.upload)) continue;
        core_.uploading.insert(item.upload);
        const auto folder = core_.box->home() / "media";
        lock.unlock();
        const auto done = media::upload(folder, item.upload, network_);
        lock.lock();
        core_.uploading.erase(item.upload);
        // What goes again goes without its file, too: the gateway knows whether it has the medium.
        const bool gone = !done && item.again && done.error().code == Errc::not_found;
        if (done || gone) outbox_.uploaded(item.upload);
    }
}

}  // namespace nimes::agent::engine
