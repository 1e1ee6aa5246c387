// The gateway's link, the mirror, the plugin and a device, with the real Mosquitto between them.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "edge.hpp"

namespace nimes::test {
namespace {

// One nonce for the token of each attempt.
struct CountingRandom final : RandomSource {
    SystemRandom inner;
    std::atomic<int> tokens = 0;
    void fill(std::span<std::uint8_t> out) override {
        if (out.size() == 16) ++tokens;
        inner.fill(out);
    }
};

TEST_CASE("packets go both ways, and presence tells who is there") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    CHECK(g.heard.state->devices == 1);

    auto client = w.connected(w.device);
    REQUIRE(g.until([&] { return !g.heard.presences.empty(); }));
    const auto came = g.heard.presences.at(0);
    CHECK(came.kind == Presence::Kind::connected);
    CHECK(came.device == w.device.id);

    const Bytes up(50'000, 7);
    CHECK(client->publish(topic::up(w.device.id), up) == 0);
    REQUIRE(g.until([&] { return !g.heard.packets.empty(); }));
    CHECK(g.heard.packets.at(0) == std::pair(w.device.id, up));

    const Bytes down(50'000, 8);
    g.send(w.device.id, down);
    const auto message = client->message();
    REQUIRE(message);
    CHECK(message->topic == topic::down(w.device.id));
    CHECK(message->payload == down);

    client->drop();
    REQUIRE(g.until([&] { return g.heard.presences.size() == 2; }));
    const auto went = g.heard.presences.at(1);
    CHECK(went.kind == Presence::Kind::gone);
    CHECK(went.device == w.device.id);
    CHECK(went.connection == came.connection);
    CHECK(g.link.dropped() == 0);
}

TEST_CASE("down packets keep their order") {
    World w;
    REQUIRE(w.gateway.set(w.device));
    auto client = w.connected(w.device);
    std::uint32_t sent = 0;
    std::uint32_t read = 0;
    for (int batch = 0; batch < 6; ++batch) {  // of fewer than the broker queues for one client
        for (int i = 0; i < 500; ++i) w.gateway.send(w.device.id, std::move(Writer().u32(sent++).zeros(2'000)).take());
        while (read < sent) {
            const auto message = client->message();
            REQUIRE(message);
            REQUIRE(Reader(message->payload).u32() == read++);
        }
    }
}

TEST_CASE("what a device publishes with QoS 0 comes in batches, whole and in order") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    constexpr std::uint8_t kPackets = 150;
    for (std::uint8_t i = 0; i < kPackets; ++i) REQUIRE(client->publish(topic::up(w.device.id), Bytes(i, i), 0) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == kPackets; }));
    for (std::uint8_t i = 0; i < kPackets; ++i) CHECK(g.heard.packets[i] == std::pair(w.device.id, Bytes(i, i)));
    CHECK(g.heard.batches.size() <= kPackets);
    CHECK(client->publish(topic::up(w.device.id), Bytes(topic::kMaxPacket - 100, 7), 0) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == kPackets + 1; }));
    CHECK(g.heard.packets.back().second.size() == topic::kMaxPacket - 100);
}

TEST_CASE("what devices send while no gateway is there waits at the broker for the next one") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    g.link.stop();
    CHECK(client->ping());
    for (std::uint8_t i = 0; i < 100; ++i) REQUIRE(client->publish(topic::up(w.device.id), Bytes(1, i), 0) == 0);
    CHECK(client->ping());
    Edge next(w.keys, w.broker, 2);
    REQUIRE(next.link.start());
    REQUIRE(next.until([&] { return next.heard.packets.size() == 100; }));
    for (std::uint8_t i = 0; i < 100; ++i) CHECK(next.heard.packets[i].second.at(0) == i);
    CHECK(next.heard.dropped_at_edge == 0);
}

TEST_CASE("a gateway that goes with packets in its hands loses none of them") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    g.deaf = true;
    for (std::uint8_t i = 0; i < 10; ++i) REQUIRE(client->publish(topic::up(w.device.id), Bytes(1, i), 0) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == 10; }));
    g.link.stop();
    Edge next(w.keys, w.broker, 2);
    REQUIRE(next.link.start());
    // A batch whose end is not told in time comes again: what counts is that each packet is there.
    REQUIRE(next.until([&] {
        std::set<std::uint8_t> got;
        for (const auto& [device, up] : next.heard.packets) got.insert(up.at(0));
        return got.size() == 10;
    }));
}

TEST_CASE("a revoked device is cut at once and does not come back") {
    World w;
    const Device other(12);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(other));
    auto client = w.connected(w.device);
    auto bystander = w.connected(other);
    const auto state = GENERATE(MirrorState::suspended, MirrorState::revoked);

    REQUIRE(g.set(w.device, state));
    CHECK(client->ended() == 0x98);  // administrative action
    REQUIRE(
        g.until([&] { return !g.heard.presences.empty() && g.heard.presences.back().kind == Presence::Kind::gone; }));
    CHECK(g.heard.presences.back().device == w.device.id);
    CHECK(w.client()->connect(w.device.hello(w.broker.url())) == MqttClient::kNotAuthorised);
    CHECK(bystander->ping());

    if (state == MirrorState::suspended) {
        REQUIRE(g.set(w.device));
        CHECK(w.connected(w.device)->ping());
    }
}

TEST_CASE("two links share the packets, and each hears of presence") {
    World w;
    Edge second(w.keys, w.broker, 2);
    REQUIRE(second.link.start());
    REQUIRE(second.until([&] { return second.heard.state.has_value(); }));
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    for (std::uint8_t i = 0; i < 100; ++i) REQUIRE(client->publish(topic::up(w.device.id), Bytes(1, i)) == 0);
    std::size_t here = 0;
    std::set<std::uint8_t> got;
    REQUIRE(g.until([&] { return (here = g.heard.packets.size()) >= 50; }));
    REQUIRE(second.until([&] { return second.heard.packets.size() >= 50; }));
    g.link.stop();
    second.link.stop();
    CHECK(g.heard.packets.size() + second.heard.packets.size() == 100);
    for (const auto* edge : {&g, &second})
        for (const auto& [device, up] : edge->heard.packets) got.insert(up.at(0));
    CHECK(got.size() == 100);
    CHECK(g.heard.presences == second.heard.presences);
    CHECK(g.heard.presences.size() == 1);
}

TEST_CASE("a broker that stands still costs bounded memory, and then goes on") {
    Keys keys;
    Broker broker(keys.directory.public_key, keys.gateway.public_key);
    broker.start();
    constexpr std::size_t kQueue = 1U << 20;
    Edge edge(keys, broker, 1, kQueue);
    const Device device(11);
    REQUIRE(edge.link.start());
    REQUIRE(edge.set(device));
    broker.pause();
    constexpr std::size_t kPacket = 90'000;
    constexpr std::size_t kPackets = 600;  // 54 MB, far more than queue, Paho's share and all socket buffers
    for (std::size_t i = 0; i < kPackets; ++i) {
        edge.send(device.id, Bytes(kPacket, 1));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the link's thread could take each of them
    }
    CHECK(edge.link.dropped() > kPackets / 2);
    broker.resume();
    MqttClient client(broker.port(), broker.ca());
    REQUIRE(client.connect(device.hello(broker.url())) == 0);
    REQUIRE(client.subscribe(topic::down(device.id)) <= 1);
    CHECK(soon([&] {
        edge.send(device.id, Bytes(3, 2));
        client.ping();
        return client.has_message();
    }));
    CHECK(edge.heard.unlinked == 0);
}

TEST_CASE("the broker's own figures arrive") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.until([&] { return g.heard.figures.contains("$SYS/broker/clients/connected"); }));
    CHECK(g.heard.figures.at("$SYS/broker/clients/connected") >= 1);
}

TEST_CASE("a broker with another certificate, or for another audience, gets no link") {
    Keys keys;
    Broker broker(keys.directory.public_key, keys.gateway.public_key);
    Broker other(keys.directory.public_key, keys.gateway.public_key);
    broker.start();
    Edge listener(keys, broker);  // only its place as a handler is used
    SystemClock clock;
    CountingRandom random;
    gateway::broker::LinkOptions options;
    options.first_wait = 10;
    options.longest_wait = 20;
    options.url = broker.url();
    options.ca = broker.ca();
    SECTION("control: with the right ones it does") {
        gateway::broker::Link link(options, keys.gateway, listener, clock, random);
        REQUIRE(link.start());
        CHECK(soon([&] { return link.linked(); }));
        link.stop();
    }
    SECTION("a certificate of a CA that we do not know") {
        options.ca = other.ca();
        gateway::broker::Link link(options, keys.gateway, listener, clock, random);
        REQUIRE(link.start());
        CHECK(soon([&] { return broker.log().find("unknown ca") != std::string::npos; }));
        link.stop();
        CHECK(listener.heard.linked == 0);
    }
    SECTION("a name that is not the certificate's") {
        options.dial = "mqtts://127.1:" + std::to_string(broker.port());
        gateway::broker::Link link(options, keys.gateway, listener, clock, random);
        REQUIRE(link.start());
        CHECK(soon([&] { return random.tokens >= 5; }));  // several attempts are over
        link.stop();
        CHECK(listener.heard.linked == 0);
    }
    SECTION("a token for another broker") {
        options.url = "mqtts://elsewhere.example:8883";
        options.dial = broker.url();
        gateway::broker::Link link(options, keys.gateway, listener, clock, random);
        REQUIRE(link.start());
        CHECK(soon([&] { return broker.refusals()["audience"] > 0; }));
        link.stop();
        CHECK(listener.heard.linked == 0);
    }
    SECTION("the key of somebody else") {
        const auto stranger = signing_key_from_seed(Bytes(32, 99));
        gateway::broker::Link link(options, stranger, listener, clock, random);
        REQUIRE(link.start());
        CHECK(soon([&] { return broker.refusals()["identity"] > 0; }));
        link.stop();
        CHECK(listener.heard.linked == 0);
    }
}

}  // namespace
}  // namespace nimes::test
