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
#include "transport/mqtt_connection.hpp"

namespace nimes::agent::transport {
namespace {

constexpr std::string_view kScheme = "mqtts://";

std::chrono::milliseconds ms(Millis time) { return std::chrono::milliseconds(time); }

}  // namespace

struct MqttSession::Impl final : MqttConnection::Events {
    Impl(MqttOptions o, TokenSource t, MqttSink s, const Clock& c, RandomSource& r)
        : options(std::move(o)),
          token(std::move(t)),
          sink(std::move(s)),
          clock(c),
          random(r),
          policy(options.reconnect) {}

    void run();
    Disconnected serve(const std::string& broker);
    DisconnectCause drain(MqttConnection& connection);
    void begin();
    void connected(const std::string& broker);
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
    std::optional<std::uint8_t> closed;  // by the broker, with this reason
    Millis answer_due = 0;               // on the boot clock; 0: none is waited for
    Millis up_since = 0;
    std::atomic<bool> up = false;  // changed with the mutex held
    std::thread thread;
};

MqttSession::MqttSession(MqttOptions options, TokenSource token, MqttSink sink, const Clock& clock,
                         RandomSource& random)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(token), std::move(sink), clock, random)) {}
MqttSession::~MqttSession() { stop(); }

Result<void> MqttSession::start() {
    auto& i = *impl_;
    if (i.options.keepalive_s < 1 || i.options.keepalive_s > 600) return fail(Errc::bad_config, "keepalive");
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
        if (expect == Expect::answer && i.answer_due == 0) i.answer_due = i.clock.boot() + i.options.answer_timeout;
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

void MqttSession::reconnect() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->again = true;
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
        if (end.was_connected) attempt = brokers.size() - 1;  // next is the first again
        tell(end);
        if (!wait(end.next_try_in)) return;
    }
}

Disconnected MqttSession::Impl::serve(const std::string& broker) {
    begin();
    try {
        const auto password = token(broker);
        if (!password) return {DisconnectCause::no_token, 0, 0, false};
        MqttConnection connection(options, broker, clock, *this);
        if (auto failed = connection.open(*password)) return *failed;
        connected(broker);
        const auto cause = drain(connection);
        connection.close();
        const std::lock_guard lock(mutex);
        return {cause, cause == DisconnectCause::closed ? closed.value_or(0) : std::uint8_t{0}, 0, true};
    } catch (const std::exception&) {
        return {DisconnectCause::lost, 0, 0, false};  // Paho's own, or out of memory
    }
}

void MqttSession::Impl::begin() {
    const std::lock_guard lock(mutex);
    lost = again = false;
    closed.reset();
    answer_due = 0;
}

void MqttSession::Impl::connected(const std::string& broker) {
    {
        const std::lock_guard lock(mutex);
        up = true;
        up_since = clock.boot();
        hurry = false;  // what was hurried for is there
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
    if (answer_due != 0 && clock.boot() >= answer_due) return DisconnectCause::silent;
    return std::nullopt;
}

bool MqttSession::Impl::is_over() {
    const std::lock_guard lock(mutex);
    return over().has_value();
}

// Sleeps until there is something to do: a handset that says nothing is not woken.
DisconnectCause MqttSession::Impl::drain(MqttConnection& connection) {
    std::unique_lock lock(mutex);
    for (;;) {
        if (const auto cause = over()) return *cause;
        if (outgoing.empty()) {
            const auto now = clock.boot();
            if (answer_due == 0) wake.wait(lock);
            else if (answer_due > now) wake.wait_for(lock, ms(answer_due - now));
            continue;
        }
        const auto packet = std::move(outgoing.front());
        outgoing.pop_front();
        outgoing_bytes -= packet.size();
        lock.unlock();
        const bool sent = connection.publish(packet);
        lock.lock();
        if (!sent) return over().value_or(DisconnectCause::lost);
    }
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
        answer_due = 0;
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
