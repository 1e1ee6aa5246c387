#include "transport/mqtt_session.hpp"

#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "nimes/token.hpp"
#include "nimes/topics.hpp"

namespace nimes::agent::transport {
namespace {

constexpr int kBuffered = 10'000;
constexpr auto kGoodbye = std::chrono::milliseconds(500);
constexpr std::string_view kScheme = "mqtts://";
// CONNACK codes of MQTT 5 are 128 and above; Paho's own failures are negative.
constexpr int kFirstRefusal = 128;

std::chrono::milliseconds ms(Millis time) { return std::chrono::milliseconds(time); }

}  // namespace

struct MqttSession::Impl final : mqtt::callback {
    Impl(MqttOptions o, TokenSource t, MqttSink s, const Clock& c, RandomSource& r)
        : options(std::move(o)),
          token(std::move(t)),
          sink(std::move(s)),
          clock(c),
          random(r),
          policy(options.reconnect) {}

    void run();
    Disconnected serve(const std::string& broker);
    std::optional<Disconnected> connect(mqtt::async_client& client, const std::string& broker);
    DisconnectCause drain(mqtt::async_client& client);
    void wait(Millis time);
    void tell(MqttEvent event);
    void connection_lost(const std::string&) override;
    void message_arrived(mqtt::const_message_ptr message) override;

    const MqttOptions options;
    const TokenSource token;
    const MqttSink sink;
    const Clock& clock;
    RandomSource& random;
    ReconnectPolicy policy;
    std::vector<std::string> brokers;

    std::mutex telling;  // one call of the sink at a time
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Bytes> outgoing;
    std::size_t outgoing_bytes = 0;
    bool stopping = false, lost = false, again = false, hurry = false;
    std::optional<std::uint8_t> closed;  // by the broker, with this reason
    Millis answer_due = 0;               // on the boot clock; 0: none is waited for
    std::atomic<bool> up = false;
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
        if (expect == Expect::answer && i.answer_due == 0)
            i.answer_due = i.clock.boot() + i.options.answer_timeout + i.options.probe_timeout;
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
        impl_->hurry = true;
    }
    impl_->wake.notify_all();
}

void MqttSession::reconnect() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->again = true;
        impl_->hurry = true;
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
        const auto began = clock.boot();
        Disconnected end;
        try {
            end = serve(brokers[attempt % brokers.size()]);
        } catch (const std::exception&) {
            end.cause = DisconnectCause::lost;  // Paho's own
        }
        end.was_connected = up.exchange(false);
        if (end.was_connected) attempt = brokers.size() - 1;  // the one that worked, and the first again
        {
            const std::lock_guard lock(mutex);
            outgoing.clear();
            outgoing_bytes = 0;
            if (stopping) return;
            end.next_try_in = end.was_connected ? policy.after_disconnect(clock.boot() - began, random)
                                                : policy.after_failure(random);
            if (hurry) end.next_try_in = 0;
            hurry = false;
        }
        tell(end);
        wait(end.next_try_in);
        const std::lock_guard lock(mutex);
        if (stopping) return;
    }
}

void MqttSession::Impl::wait(Millis time) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, ms(time), [this] { return stopping || hurry; });
    hurry = false;
}

// One connection with a client of its own: nothing of an old one is carried over.
Disconnected MqttSession::Impl::serve(const std::string& broker) {
    mqtt::create_options create(MQTTVERSION_5, kBuffered);
    mqtt::async_client client("ssl://" + broker.substr(kScheme.size()), to_text(options.device), create, nullptr);
    client.set_callback(*this);
    // A DISCONNECT of the broker's (a kick) comes here and not as connection_lost.
    client.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
        {
            const std::lock_guard lock(mutex);
            closed = static_cast<std::uint8_t>(reason);
        }
        wake.notify_all();
    });
    {
        const std::lock_guard lock(mutex);
        lost = again = false;
        closed.reset();
        answer_due = 0;
    }
    Disconnected end;
    if (auto failed = connect(client, broker)) {
        end = *failed;
    } else {
        end.cause = drain(client);
        {
            const std::lock_guard lock(mutex);
            end.reason = closed.value_or(0);
        }
        try {
            client.disconnect(kGoodbye)->wait_for(2 * kGoodbye);
        } catch (const mqtt::exception&) {
            // It was gone already.
        }
    }
    client.disable_callbacks();
    return end;
}

std::optional<Disconnected> MqttSession::Impl::connect(mqtt::async_client& client, const std::string& broker) {
    const auto password = token(broker);
    if (!password) return Disconnected{DisconnectCause::no_token, 0, 0, false};
    mqtt::ssl_options tls;
    tls.set_trust_store(options.trust_store.string());
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);
    mqtt::properties properties;
    properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, 0));
    mqtt::connect_options connect;
    connect.set_mqtt_version(MQTTVERSION_5);
    connect.set_clean_start(true);
    connect.set_keep_alive_interval(static_cast<int>(options.keepalive_s));
    connect.set_connect_timeout(ms(options.connect_timeout));
    connect.set_automatic_reconnect(false);
    connect.set_user_name(to_text(options.device));
    connect.set_password(*password);
    connect.set_ssl(tls);
    connect.set_properties(properties);  // last: the other setters of this version lose them

    const auto asked = client.connect(connect);
    try {
        if (!asked->wait_for(ms(options.connect_timeout))) return Disconnected{DisconnectCause::lost, 0, 0, false};
    } catch (const mqtt::exception& error) {
        const int code = error.get_reason_code() >= kFirstRefusal ? static_cast<int>(error.get_reason_code())
                                                                  : error.get_return_code();
        if (code >= kFirstRefusal)
            return Disconnected{DisconnectCause::refused, static_cast<std::uint8_t>(code), 0, false};
        return Disconnected{DisconnectCause::lost, 0, 0, false};
    }
    const auto subscribed = client.subscribe(topic::down(options.device), 1);
    if (!subscribed->wait_for(ms(options.connect_timeout))) return Disconnected{DisconnectCause::lost, 0, 0, false};
    up = true;
    tell(Connected{broker});
    return std::nullopt;
}

DisconnectCause MqttSession::Impl::drain(mqtt::async_client& client) {
    for (;;) {
        std::deque<Bytes> batch;
        {
            std::unique_lock lock(mutex);
            const auto ready = [this] { return stopping || lost || closed || again || !outgoing.empty(); };
            wake.wait_for(lock, std::chrono::seconds(1), ready);
            if (stopping || again) return DisconnectCause::asked;
            if (closed) return DisconnectCause::closed;
            if (lost) return DisconnectCause::lost;
            if (answer_due != 0 && clock.boot() >= answer_due) return DisconnectCause::silent;
            batch.swap(outgoing);
            outgoing_bytes = 0;
        }
        const auto to = topic::up(options.device);
        for (const auto& packet : batch) {
            try {
                client.publish(to, packet.data(), packet.size(), 0, false);
            } catch (const mqtt::exception&) {
                return DisconnectCause::lost;
            }
        }
    }
}

void MqttSession::Impl::connection_lost(const std::string&) {
    {
        const std::lock_guard lock(mutex);
        lost = true;
    }
    wake.notify_all();
}

void MqttSession::Impl::message_arrived(mqtt::const_message_ptr message) {
    const auto& payload = message->get_payload_ref();
    if (!payload || payload.size() > topic::kMaxPacket) return;
    {
        const std::lock_guard lock(mutex);
        answer_due = 0;
    }
    tell(Packet{to_bytes(as_bytes(std::string_view(payload.data(), payload.size())))});
}

std::vector<std::string> broker_order(std::vector<std::string> brokers, const DeviceId& device) {
    const auto weight = [&](const std::string& broker) { return sha256({as_bytes(broker), device.view()}); };
    std::sort(brokers.begin(), brokers.end(),
              [&](const std::string& a, const std::string& b) { return weight(a) > weight(b); });
    return brokers;
}

}  // namespace nimes::agent::transport
