#include "transport/mqtt_connection.hpp"

#include <mqtt/async_client.h>

#include "nimes/topics.hpp"

namespace nimes::agent::transport {
namespace {

constexpr std::string_view kScheme = "mqtts://";
// Paho's own buffer counts packets and not bytes, so what it may hold is bounded here.
constexpr int kInFlight = 256;
constexpr std::size_t kInFlightBytes = 256 * 1024;
constexpr std::size_t kPacketOverhead = 1024;  // topic and properties beside the payload
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kGoodbye = std::chrono::milliseconds(500);
// Reason codes of MQTT 5 that refuse are 128 and above; Paho's own failures are negative.
constexpr int kFirstRefusal = 128;
// nimes.v1.Up with an Ack of no lane: says nothing, wants nothing.
constexpr std::uint8_t kNothing[] = {0x1a, 0x00};

Disconnected ended(DisconnectCause cause, int reason = 0) {
    return {cause, static_cast<std::uint8_t>(reason), 0, false};
}

Disconnected ended(const mqtt::exception& error) {
    for (const int code : {static_cast<int>(error.get_reason_code()), error.get_return_code()})
        if (code >= kFirstRefusal && code <= UINT8_MAX) return ended(DisconnectCause::refused, code);
    return ended(DisconnectCause::lost);
}

mqtt::ssl_options tls_of(const MqttOptions& options) {
    mqtt::ssl_options out;
    out.set_trust_store(options.trust_store.string());  // replaces the system's trust
    out.set_enable_server_cert_auth(true);              // the chain
    out.set_verify(true);                               // the host's name, which Paho leaves unchecked by default
    return out;
}

mqtt::connect_options connect_of(const MqttOptions& options, const std::string& token, Millis keepalive) {
    mqtt::properties properties;
    properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, 0));
    properties.add(
        mqtt::property(mqtt::property::MAXIMUM_PACKET_SIZE, static_cast<int>(topic::kMaxPacket + kPacketOverhead)));
    mqtt::connect_options out;
    out.set_mqtt_version(MQTTVERSION_5);
    out.set_clean_start(true);
    out.set_keep_alive_interval(static_cast<int>(keepalive / kSecond));
    out.set_connect_timeout(std::chrono::milliseconds(options.connect_timeout));
    out.set_automatic_reconnect(false);
    out.set_user_name(to_text(options.device));
    out.set_password(token);
    out.set_ssl(tls_of(options));
    out.set_properties(properties);  // last: the other setters of this version lose them
    return out;
}

}  // namespace

struct MqttConnection::Paho final : mqtt::callback {
    Paho(const MqttOptions& o, const std::string& broker, const Clock& c, Events& e)
        : options(o),
          clock(c),
          events(e),
          client("ssl://" + broker.substr(kScheme.size()), to_text(o.device),
                 mqtt::create_options(MQTTVERSION_5, 2 * kInFlight), nullptr) {}

    void connection_lost(const std::string&) override { events.on_lost(); }
    void message_arrived(mqtt::const_message_ptr message) override {
        try {
            const auto& payload = message->get_payload_ref();
            if (payload) events.on_packet(as_bytes(std::string_view(payload.data(), payload.size())));
        } catch (const std::exception&) {
            // Out of memory, say. The gateway repeats what is not acknowledged; C must not see an exception.
        }
    }
    // Answered well: nullopt. Throws Paho's exception for an answer that refuses.
    std::optional<Disconnected> wait(mqtt::token& token, Millis until) const {
        while (!token.wait_for(kLook)) {
            if (events.is_over()) return ended(DisconnectCause::asked);
            if (clock.boot() >= until) return ended(DisconnectCause::lost);
        }
        return std::nullopt;
    }
    void forget_sent() {
        while (!in_flight.empty() && in_flight.front()->is_complete()) {
            in_flight_bytes -= in_flight.front()->get_message()->get_payload_ref().size();
            in_flight.pop_front();
        }
    }
    [[nodiscard]] bool full() const { return in_flight_bytes >= kInFlightBytes || in_flight.size() >= kInFlight; }

    const MqttOptions& options;
    const Clock& clock;
    Events& events;
    mqtt::async_client client;
    std::deque<mqtt::delivery_token_ptr> in_flight;  // oldest first
    std::size_t in_flight_bytes = 0;
    mqtt::delivery_token_ptr asked;
    Millis server_keepalive = 0;
};

MqttConnection::MqttConnection(const MqttOptions& options, const std::string& broker, const Clock& clock,
                               Events& events)
    : paho_(std::make_unique<Paho>(options, broker, clock, events)) {
    paho_->client.set_callback(*paho_);
    // A DISCONNECT of the broker's (a kick) comes here and not as connection_lost.
    paho_->client.set_disconnected_handler([&events](const mqtt::properties&, mqtt::ReasonCode reason) {
        events.on_closed(static_cast<std::uint8_t>(reason));
    });
}

MqttConnection::~MqttConnection() {
    try {
        paho_->client.disable_callbacks();
    } catch (const mqtt::exception&) {
        // Refused while it connects; then nothing has been subscribed that could come.
    }
}

std::optional<Disconnected> MqttConnection::open(const std::string& token, Millis keepalive) {
    auto& p = *paho_;
    const auto until = p.clock.boot() + p.options.connect_timeout;
    try {
        const auto connect = connect_of(p.options, token, keepalive);
        const auto answered = p.client.connect(connect);
        if (auto failed = p.wait(*answered, until)) return failed;
        const auto properties = answered->get_connect_response().get_properties();
        if (properties.contains(mqtt::property::SERVER_KEEP_ALIVE))
            p.server_keepalive = mqtt::get<std::uint16_t>(properties, mqtt::property::SERVER_KEEP_ALIVE) * kSecond;
        return p.wait(*p.client.subscribe(topic::down(p.options.device), 1), until);
    } catch (const mqtt::exception& error) {
        return ended(error);
    }
}

bool MqttConnection::publish(ByteView up) {
    auto& p = *paho_;
    try {
        for (p.forget_sent(); p.full(); p.forget_sent()) {
            if (p.events.is_over()) return false;
            p.in_flight.front()->wait_for(kLook);
        }
        p.in_flight.push_back(p.client.publish(topic::up(p.options.device), up.data(), up.size(), 0, false));
        p.in_flight_bytes += up.size();
        return true;
    } catch (const mqtt::exception&) {
        return false;
    }
}

bool MqttConnection::ask() {
    auto& p = *paho_;
    try {
        p.asked = p.client.publish(topic::up(p.options.device), kNothing, sizeof kNothing, 1, false);
        return true;
    } catch (const mqtt::exception&) {
        return false;
    }
}

std::optional<Alive> MqttConnection::answer() const {
    const auto& asked = paho_->asked;
    if (!asked || !asked->is_complete() || asked->get_return_code() != 0) return std::nullopt;
    return Alive{};  // its reason code is lost in Paho
}

Millis MqttConnection::server_keepalive() const { return paho_->server_keepalive; }

void MqttConnection::close() {
    try {
        if (paho_->client.is_connected()) paho_->client.disconnect(kGoodbye)->wait_for(2 * kGoodbye);
    } catch (const mqtt::exception&) {
        // It was gone already.
    }
}

}  // namespace nimes::agent::transport
