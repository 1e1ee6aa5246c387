#include "transport/mqtt_session.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "nimes/encoding.hpp"
#include "nimes/token.hpp"
#include "nimes/topics.hpp"
#include "transport/liveness.hpp"
#include "transport/mqtt_connection.hpp"

namespace nimes::agent::transport {
namespace {

constexpr std::string_view kScheme = "mqtts://";
constexpr Millis kLook = 100;

std::chrono::milliseconds ms(Millis time) { return std::chrono::milliseconds(time); }

}  // namespace

struct MqttSession::Impl final : MqttConnection::Events {
    Impl(MqttOptions o, TokenSource t, MqttSink s, const Clock& c, RandomSource& r)
        : options(std::move(o)),
          token(std::move(t)),
          sink(std::move(s)),
          clock(c),
          random(r),
          policy(options.reconnect),
          liveness({options.keepalive, options.answer_timeout, options.receipt_timeout}),
          paths(options.paths) {}

    void run();
    Disconnected serve(const std::string& broker);
    DisconnectCause drain(MqttConnection& connection);
    void take_answer(const MqttConnection& connection, std::unique_lock<std::mutex>& lock);
    void sleep(std::unique_lock<std::mutex>& lock);
    bool learned(std::unique_lock<std::mutex>& lock);
    Millis begin();
    void connected(const std::string& broker, Millis server_keepalive);
    bool disconnected(Disconnected& end);
    bool wait(Millis time);
    void tell(MqttEvent event);
    [[nodiscard]] std::optional<DisconnectCause> over() const;  // with the mutex held
    void on_packet(ByteView down) override;
    void on_lost() override;
    void on_closed(std::uint8_t reason) override;
    [[nodiscard]] bool is_over() override;

    const MqttOptions options;
    const TokenSource token;
    const MqttSink sink;
    const Clock& clock;
    RandomSource& random;
    std::vector<std::string> brokers;

    std::mutex telling;  // one call of the sink at a time
    std::mutex mutex;    // guards all below
    std::condition_variable wake;
    ReconnectPolicy policy;
    std::deque<Bytes> outgoing;
    std::size_t outgoing_bytes = 0;
    bool stopping = false, lost = false, again = false, hurry = false;
    std::atomic<bool> moving = false;    // to the next broker
    std::optional<std::uint8_t> closed;  // by the broker, with this reason
    Millis up_since = 0;
    Liveness liveness;
    std::string network;  // now
    std::string joined;   // of the connection that stands, or is being made
    std::map<std::string, Keepalive::Path> paths;
    Millis broker_cap = 0;         // as a broker said last
    std::atomic<bool> up = false;  // changed with the mutex held
    std::thread thread;
};

MqttSession::MqttSession(MqttOptions options, TokenSource token, MqttSink sink, const Clock& clock,
                         RandomSource& random)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(token), std::move(sink), clock, random)) {}
MqttSession::~MqttSession() { stop(); }

Result<void> MqttSession::start() {
    auto& i = *impl_;
    const auto& k = i.options.keepalive;
    if (k.least < kSecond || k.first < k.least || k.most < k.first || k.most > kHour)
        return fail(Errc::bad_config, "keepalive");
    if (i.options.brokers.empty()) return fail(Errc::bad_config, "no broker");
    for (const auto& broker : i.options.brokers)
        if (!broker.starts_with(kScheme) || !audience_of(broker))
            return fail(Errc::bad_config, "a broker is mqtts://host:port");
    if (!std::ifstream(i.options.trust_store)) return fail(Errc::bad_config, "the trust store cannot be read");
    i.brokers = broker_order(i.options.brokers, i.options.device);
    i.thread = std::thread([&i] { i.run(); });
    return {};
}

void MqttSession::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

Result<void> MqttSession::publish(Bytes up, Expect expect) {
    auto& i = *impl_;
    if (up.size() > topic::kMaxPacket) return fail(Errc::too_large, "one packet");
    {
        const std::lock_guard lock(i.mutex);
        if (!i.up) return fail(Errc::offline);
        if (i.outgoing_bytes + up.size() > i.options.max_queued_bytes) return fail(Errc::busy);
        i.outgoing_bytes += up.size();
        i.outgoing.push_back(std::move(up));
        if (expect == Expect::answer) i.liveness.wants_answer(i.clock.boot());
    }
    i.wake.notify_one();
    return {};
}

void MqttSession::spread_next_connect(Millis spread) {
    const std::lock_guard lock(impl_->mutex);
    impl_->policy.spread(spread);
}

void MqttSession::try_now() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->policy.forget_failures();
        impl_->hurry = !impl_->up;
    }
    impl_->wake.notify_all();
}

void MqttSession::network_changed(const std::string& name) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->policy.forget_failures();
        impl_->network = name;
        impl_->again = true;
    }
    impl_->wake.notify_all();
}

void MqttSession::reconnect() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->again = true;
    }
    impl_->wake.notify_all();
}

void MqttSession::elsewhere() {
    if (impl_->brokers.size() < 2) return;
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->up) return;
        impl_->again = impl_->moving = true;
    }
    impl_->wake.notify_all();
}

bool MqttSession::connected() const { return impl_->up; }

void MqttSession::Impl::tell(MqttEvent event) {
    const std::lock_guard one(telling);
    sink(std::move(event));
}

void MqttSession::Impl::run() {
    for (std::size_t attempt = 0;; ++attempt) {
        auto end = serve(brokers[attempt % brokers.size()]);
        if (!disconnected(end)) return;
        if (end.was_connected && !moving.exchange(false)) attempt = brokers.size() - 1;  // next is the first again
        tell(end);
        if (!wait(end.next_try_in)) return;
    }
}

Disconnected MqttSession::Impl::serve(const std::string& broker) {
    const auto keep = begin();
    try {
        const auto password = token(broker);
        if (!password) return {DisconnectCause::no_token, 0, 0, false};
        MqttConnection connection(options, broker, clock, *this);
        if (auto failed = connection.open(*password, keep)) return *failed;
        connected(broker, connection.server_keepalive());
        const auto cause = drain(connection);
        connection.close();
        const std::lock_guard lock(mutex);
        return {cause, cause == DisconnectCause::closed ? closed.value_or(0) : std::uint8_t{0}, 0, true};
    } catch (const std::exception&) {
        return {DisconnectCause::lost, 0, 0, false};  // Paho's own, or out of memory
    }
}

// The keepalive to say.
Millis MqttSession::Impl::begin() {
    const std::lock_guard lock(mutex);
    lost = again = false;
    closed.reset();
    joined = network;
    return liveness.begin(paths[joined], broker_cap);
}

void MqttSession::Impl::connected(const std::string& broker, Millis server_keepalive) {
    {
        const std::lock_guard lock(mutex);
        up = true;
        up_since = clock.boot();
        hurry = false;  // what was hurried for is there
        if (server_keepalive != 0) broker_cap = server_keepalive;
        liveness.connected(up_since, server_keepalive);
    }
    tell(Connected{broker});
}

// Plans the next try; false when there is none.
bool MqttSession::Impl::disconnected(Disconnected& end) {
    const std::lock_guard lock(mutex);
    end.was_connected = up.exchange(false);
    outgoing.clear();
    outgoing_bytes = 0;
    end.next_try_in =
        end.was_connected ? policy.after_disconnect(clock.boot() - up_since, random) : policy.after_failure(random);
    if (again || hurry) end.next_try_in = 0;
    return !stopping;
}

bool MqttSession::Impl::wait(Millis time) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, ms(time), [this] { return stopping || hurry || again; });
    hurry = false;
    return !stopping;
}

std::optional<DisconnectCause> MqttSession::Impl::over() const {
    if (stopping || again) return DisconnectCause::asked;
    if (closed) return DisconnectCause::closed;
    if (lost) return DisconnectCause::lost;
    if (liveness.dead(clock.boot())) return DisconnectCause::silent;
    return std::nullopt;
}

bool MqttSession::Impl::is_over() {
    const std::lock_guard lock(mutex);
    return over().has_value();
}

DisconnectCause MqttSession::Impl::drain(MqttConnection& connection) {
    std::unique_lock lock(mutex);
    for (;;) {
        if (liveness.asking()) take_answer(connection, lock);
        if (const auto cause = over()) {
            if (*cause == DisconnectCause::silent || *cause == DisconnectCause::lost) liveness.fell();
            (void)learned(lock);
            return *cause;
        }
        if (learned(lock)) continue;  // it let go of the lock
        if (liveness.should_ask(clock.boot(), !outgoing.empty())) {
            liveness.asked(clock.boot());
            lock.unlock();
            const bool sent = connection.ask();
            lock.lock();
            lost = lost || !sent;
            continue;
        }
        if (outgoing.empty()) {
            sleep(lock);
            continue;
        }
        const auto packet = std::move(outgoing.front());
        outgoing.pop_front();
        outgoing_bytes -= packet.size();
        lock.unlock();
        const bool sent = connection.publish(packet);
        lock.lock();
        lost = lost || (!sent && !over());
        liveness.sent(clock.boot());
    }
}

void MqttSession::Impl::take_answer(const MqttConnection& connection, std::unique_lock<std::mutex>& lock) {
    auto answer = connection.answer();
    if (!answer) return;
    answer->heard = !liveness.answer_missing();
    liveness.heard(clock.boot());
    lock.unlock();
    tell(*answer);
    lock.lock();
}

bool MqttSession::Impl::learned(std::unique_lock<std::mutex>& lock) {
    if (paths[joined] == liveness.path()) return false;
    paths[joined] = liveness.path();
    const PathLearned event{joined, liveness.path()};
    lock.unlock();
    tell(event);
    lock.lock();
    return true;
}

// Until there is something to do: a handset that says nothing is not woken.
void MqttSession::Impl::sleep(std::unique_lock<std::mutex>& lock) {
    auto until = liveness.look_at();
    if (liveness.asking()) until = std::min(until, clock.boot() + kLook);  // Paho's tokens wake nobody
    const auto now = clock.boot();
    if (until > now) wake.wait_for(lock, ms(until - now));
}

void MqttSession::Impl::on_lost() {
    {
        const std::lock_guard lock(mutex);
        lost = true;
    }
    wake.notify_all();
}

void MqttSession::Impl::on_closed(std::uint8_t reason) {
    {
        const std::lock_guard lock(mutex);
        closed = reason;
    }
    wake.notify_all();
}

void MqttSession::Impl::on_packet(ByteView down) {
    if (down.size() > topic::kMaxPacket) return;
    {
        const std::lock_guard lock(mutex);
        liveness.heard(clock.boot());
    }
    tell(Packet{to_bytes(down)});
}

std::vector<std::string> broker_order(std::vector<std::string> brokers, const DeviceId& device) {
    const auto weight = [&](const std::string& broker) { return sha256({as_bytes(broker), device.view()}); };
    std::sort(brokers.begin(), brokers.end(),
              [&](const std::string& a, const std::string& b) { return weight(a) > weight(b); });
    return brokers;
}

}  // namespace nimes::agent::transport
