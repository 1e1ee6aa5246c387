// Sessions that the broker keeps although nobody asked for them: a hostile device may, and then a revocation, a reload
// or an expiry meets a session without a connection. Mosquitto 2.0.11 corrupts its lists when such a session is ended
// (`tests/integration/run --valgrind` sees what happens to its memory).
#include <catch2/catch.hpp>

#include "edge.hpp"

namespace nimes::test {
namespace {

constexpr int kNo = MqttClient::kNotAuthorised;

MqttConnect durable(const Device& device, const Broker& broker, Millis at = SystemClock().now()) {
    auto out = device.hello(broker.url());
    out.password = device.token(broker.url(), at);
    out.clean_start = false;
    out.session_expiry = 3'600;
    return out;
}

struct Kept : World {
    std::vector<Device> many;

    // Devices whose sessions the broker keeps, and which have gone.
    explicit Kept(std::uint8_t count) {
        for (std::uint8_t i = 0; i < count; ++i) many.emplace_back(static_cast<std::uint8_t>(20 + i));
        REQUIRE(gateway.set(device));
        for (const auto& one : many) REQUIRE(gateway.set(one));
        for (const auto& one : many) come_and_go(one);
    }
    // Over when the gateway has heard that it has gone.
    void come_and_go(const Device& one) {
        auto visitor = client();
        REQUIRE(visitor->connect(durable(one, broker)) == 0);
        REQUIRE(visitor->subscribe(topic::down(one.id)) <= 1);
        visitor->drop();
        const auto visits = ++visits_[one.id];
        REQUIRE(gateway.until([&] { return count(Presence::Kind::gone, one.id) == visits; }));
    }
    [[nodiscard]] int count(Presence::Kind kind, const DeviceId& id) const {
        const auto& all = gateway.heard.presences;
        return static_cast<int>(
            std::count_if(all.begin(), all.end(), [&](const auto& p) { return p.kind == kind && p.device == id; }));
    }
    void reload() {
        const auto reloads = [&] {
            const auto text = broker.log();
            std::size_t out = 0;
            for (std::size_t at = 0; (at = text.find("Reloading config", at)) != std::string::npos; ++at) ++out;
            return out;
        };
        const auto before = reloads();
        REQUIRE(soon([&] {  // a signal during a reload is forgotten with it
            broker.reload();
            return reloads() > before;
        }));
    }

  private:
    std::map<DeviceId, int> visits_;
};

TEST_CASE("a revoked device that is away is not kicked, and its kept session gives it nothing") {
    Kept w(3);
    auto& g = w.gateway;
    const auto& thief = w.many[0];
    const auto kicked = g.heard.state->kicked;
    REQUIRE(g.set(thief, MirrorState::revoked));
    g.send(thief.id, Bytes(3, 1));
    CHECK(w.client()->connect(durable(thief, w.broker)) == kNo);
    CHECK(g.heard.state->kicked == kicked);

    REQUIRE(g.set(thief));  // nobody does this to a device; it shows what was kept for it
    auto back = w.client();
    REQUIRE(back->connect(durable(thief, w.broker)) == 0);
    REQUIRE(back->subscribe(topic::down(thief.id)) <= 1);
    g.send(thief.id, Bytes(3, 2));
    const auto first = back->message();
    REQUIRE(first);
    CHECK(first->payload == Bytes(3, 2));
    CHECK(w.connected(w.device)->ping());
}

TEST_CASE("a device that is revoked while it is there loses what its kept session would have got") {
    Kept w(1);
    auto& g = w.gateway;
    const auto& thief = w.many[0];
    auto client = w.client();
    REQUIRE(client->connect(durable(thief, w.broker)) == 0);
    REQUIRE(client->subscribe(topic::down(thief.id)) <= 1);
    REQUIRE(g.set(thief, MirrorState::revoked));
    client->ended();
    CHECK_FALSE(client->ping());
    for (std::uint8_t i = 0; i < 5; ++i) g.send(thief.id, Bytes(3, i));
    CHECK(w.client()->connect(durable(thief, w.broker)) == kNo);
    CHECK(w.connected(w.device)->ping());
    CHECK(w.broker.alive());
}

TEST_CASE("a reload leaves sessions without a connection alone, and lets none of them in") {
    Kept w(5);
    auto& g = w.gateway;
    auto client = w.connected(w.device);
    w.reload();
    w.reload();
    CHECK(client->ping());
    for (const auto& one : w.many) {  // each can come back, go, and come back
        w.come_and_go(one);
        w.come_and_go(one);
    }
    REQUIRE(g.set(w.many[0], MirrorState::revoked));
    w.come_and_go(w.many[1]);
    w.reload();
    CHECK(w.client()->connect(durable(w.many[0], w.broker)) == kNo);
    auto stranger = w.many[1].hello(w.broker.url());
    stranger.password = std::string(160, 'A');
    CHECK(w.client()->connect(stranger) == kNo);
    CHECK(w.connected(w.many[1])->ping());
}

TEST_CASE("a reload when tokens have run out cuts nobody but the revoked, and lets nobody in") {
    World w;
    auto& g = w.gateway;
    const Device revoked(12);
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(revoked));
    w.broker.stop();
    REQUIRE(g.until([&] { return !g.link.linked(); }));  // or the old connection would be taken for the new one
    w.broker.own_clock(Broker::Clocks::wall);
    w.broker.start();
    REQUIRE(g.until([&] { return g.link.linked() && g.obeyed(); }));
    auto client = w.connected(w.device);
    auto thief = w.connected(revoked);
    const auto held_back = revoked.hello(w.broker.url());
    w.broker.ahead(std::chrono::seconds(600));
    CHECK(w.client()->connect(w.device.hello(w.broker.url())) == kNo);  // ten minutes old, there: run out
    soon([&] { return w.broker.refusals()["expired"] == 1; });
    CHECK(w.broker.refusals()["expired"] == 1);
    g.roster.set(revoked, MirrorState::revoked);
    w.broker.pause();  // the mirror's delta and the reload meet in one pass of its loop, in either order
    w.broker.reload();
    REQUIRE(g.until([rounds = 0]() mutable { return ++rounds > 20; }));  // the delta is on its way
    w.broker.resume();
    REQUIRE(g.until([&] { return g.obeyed(); }));
    thief->ended();
    CHECK_FALSE(thief->ping());
    CHECK(client->ping());
    CHECK(client->publish(topic::up(w.device.id), Bytes(3, 1)) == 0);
    CHECK(g.link.linked());
    CHECK(w.client()->connect(held_back) == kNo);
}

TEST_CASE("a kept session that runs out leaves the broker whole") {
    Kept w(3);
    auto& g = w.gateway;
    w.broker.stop();
    REQUIRE(g.until([&] { return !g.link.linked(); }));
    w.broker.own_clock(Broker::Clocks::all);
    w.broker.start();
    REQUIRE(g.until([&] { return g.link.linked() && g.obeyed(); }));
    for (const auto& one : w.many) w.come_and_go(one);
    w.reload();
    w.broker.ahead(std::chrono::seconds(4'000));
    const auto at = [&] { return g.clock.now() + 4'000 * kSecond; };
    CHECK(soon([&] { return w.client()->connect(durable(w.many[0], w.broker, at())) == 0; }));
    CHECK(soon([&] { return w.client()->connect(durable(w.many[1], w.broker, at())) == 0; }));
    CHECK(w.broker.alive());
}

}  // namespace
}  // namespace nimes::test
