// A handset's session, a clock of its own and what it was told, against the broker of mqtt_peer.hpp.
#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>

#include "mqtt_peer.hpp"
#include "nimes/topics.hpp"
#include "transport/mqtt_session.hpp"

namespace nimes::agent::transport {

using namespace nimes::test;

// The system's, which a test may put forward.
struct TestClock final : Clock {
    SystemClock system;
    std::atomic<Millis> ahead = 0;
    [[nodiscard]] Millis now() const override { return system.now() + ahead; }
    [[nodiscard]] Millis boot() const override { return system.boot() + ahead; }
};

// What a session told, and what it is made of.
struct Handset {
    TestClock clock;
    SystemRandom random;
    MqttOptions options;
    std::mutex mutex;
    std::vector<MqttEvent> events;
    int tokens = 0;
    std::unique_ptr<MqttSession> session;

    explicit Handset(std::vector<std::string> brokers) {
        options.brokers = std::move(brokers);
        options.trust_store = authority().ca;
        options.device = random.id<DeviceId>();
        options.reconnect = {20, 200, kHour};
    }
    MqttSession& start() {
        session = std::make_unique<MqttSession>(
            options,
            [this](std::string_view audience) -> Result<std::string> {
                return std::string(audience) + "#" + std::to_string(++tokens);
            },
            [this](MqttEvent event) {
                const std::lock_guard lock(mutex);
                events.push_back(std::move(event));
            },
            clock, random);
        REQUIRE(session->start());
        return *session;
    }
    template <class Event>
    std::vector<Event> all() {
        const std::lock_guard lock(mutex);
        std::vector<Event> out;
        for (const auto& event : events)
            if (const auto* it = std::get_if<Event>(&event)) out.push_back(*it);
        return out;
    }
    // The first one, waited for.
    template <class Event>
    Event first() {
        REQUIRE(soon([this] { return !all<Event>().empty(); }));
        return all<Event>().front();
    }
    [[nodiscard]] std::string down() const { return topic::down(options.device); }
};

// Holds connections open until the peer ends them.
inline void stay(MqttPeer& peer) {
    while (peer.packet()) {
    }
}

// Sends back what comes until the connection ends.
inline void echo(MqttPeer& peer, const MqttConnectPacket& connect) {
    while (const auto up = peer.received())
        if (!peer.publish("n/" + connect.client + "/down", *up)) return;
}

inline Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

}  // namespace nimes::agent::transport
