// Who may connect and what a device may do, asked of the real broker. Every refusal has its control beside it, and the
// reasons are counted: one input for each guard, refused by that guard and no other.
#include <catch2/catch.hpp>

#include "edge.hpp"

namespace nimes::test {
namespace {

constexpr int kNo = MqttClient::kNotAuthorised;

TEST_CASE("connections are refused, each for its own reason") {
    World w;
    const Device other(12), revoked(13), suspended(14), unknown(15);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(other));
    REQUIRE(g.set(revoked, MirrorState::revoked));
    REQUIRE(g.set(suspended, MirrorState::suspended));
    const auto url = w.broker.url();
    const auto good = [&] { return w.device.hello(url); };
    const auto answer = [&](const MqttConnect& hello) { return w.client()->connect(hello); };
    const auto now = g.clock.now();

    const auto first = good();
    CHECK(answer(first) == 0);
    CHECK(answer(first) == kNo);  // replayed

    auto hello = good();
    hello.username.reset();
    hello.password.reset();
    CHECK(answer(hello) == kNo);  // anonymous: identity

    hello = good();
    hello.password.reset();
    CHECK(answer(hello) == kNo);  // no token: token
    hello.password = "";
    CHECK(answer(hello) == kNo);  // token
    hello.password = std::string(160, 'A');
    CHECK(answer(hello) == kNo);  // token
    hello.password = other.token(url);
    CHECK(answer(hello) == kNo);  // another device's: token
    auto forged = w.device.token(url);
    forged[100] = forged[100] == 'A' ? 'B' : 'A';
    hello.password = forged;
    CHECK(answer(hello) == kNo);  // token

    hello = good();
    hello.client_id = to_text(other.id);
    CHECK(answer(hello) == kNo);  // would throw the other out: identity

    hello = good();
    hello.password = w.device.token("mqtts://elsewhere.example:8883");
    CHECK(answer(hello) == kNo);  // audience
    hello.password = w.device.token("https://" + url.substr(8));
    CHECK(answer(hello) == kNo);  // for the gateway: audience

    hello = good();
    hello.password = w.device.token(url, now + kHour);
    CHECK(answer(hello) == kNo);  // expired: an hour off is an hour off
    hello.password = w.device.token(url, now - kHour);
    CHECK(answer(hello) == kNo);  // before_start

    hello = good();
    hello.keepalive = 0;
    CHECK(answer(hello) == kNo);  // keepalive

    hello = good();
    hello.version = 4;
    CHECK(answer(hello) != 0);  // protocol; MQTT 3.1.1 has other codes

    CHECK(answer(revoked.hello(url)) == kNo);
    CHECK(answer(suspended.hello(url)) == kNo);
    CHECK(answer(unknown.hello(url)) == kNo);

    // Who says to be the gateway must sign as it does.
    const auto gateway = key_actor(w.keys.gateway.public_key);
    SystemRandom random;
    hello = {};
    hello.username = to_text(gateway);
    hello.client_id = to_text(gateway) + "-2";
    hello.password = mint_token(w.device.key.secret, gateway, audience_of(url).value(), now, random);
    CHECK(answer(hello) == kNo);  // token
    hello.password = mint_token(w.keys.gateway.secret, gateway, audience_of(url).value(), now, random);
    CHECK(answer(hello) == 0);

    CHECK(answer(good()) == 0);  // and after all that the good one still enters
    const std::map<std::string, int> expected{
        {"replayed", 1},  {"identity", 2}, {"token", 6},   {"audience", 2},  {"expired", 1}, {"before_start", 1},
        {"keepalive", 1}, {"protocol", 1}, {"revoked", 1}, {"suspended", 1}, {"unknown", 1},
    };
    soon([&] { return w.broker.refusals() == expected; });
    CHECK(w.broker.refusals() == expected);
}

TEST_CASE("a device's second connection takes over from its first, and is the one that counts") {
    World w;
    REQUIRE(w.gateway.set(w.device));
    auto first = w.connected(w.device);
    auto second = w.connected(w.device);
    first->ended();  // this version of Mosquitto says no reason, newer ones 0x8E
    CHECK_FALSE(first->ping());
    CHECK(second->ping());
    auto& g = w.gateway;
    REQUIRE(g.until([&] { return g.heard.presences.size() >= 3; }));
    std::uint64_t here = 0;
    for (const auto& p : g.heard.presences)
        if (p.kind == Presence::Kind::connected) here = std::max(here, p.connection);
    for (const auto& p : g.heard.presences)
        if (p.kind == Presence::Kind::gone) CHECK(p.connection < here);
}

TEST_CASE("a device reads its own topic and no other") {
    World w;
    const Device other(12);
    REQUIRE(w.gateway.set(w.device));
    REQUIRE(w.gateway.set(other));
    auto client = w.connected(w.device);
    const auto mine = topic::down(w.device.id);
    for (const std::string& filter :
         {std::string("n/+/down"), std::string("n/#"), std::string("#"), std::string("+/+/+"), std::string("$SYS/#"),
          std::string("$SYS/broker/uptime"), std::string("$CONTROL/#"), std::string(topic::kControl),
          std::string("nimes/edge/+/+"), topic::edge_presence(Broker::kName), std::string(topic::kGatewaySubscription),
          topic::down(other.id), topic::up(w.device.id), mine + "/", mine + "/#", "$share/x/" + mine}) {
        INFO(filter);
        CHECK(client->subscribe(filter) == kNo);
    }
    CHECK(client->subscribe(topic::down(w.device.id)) <= 1);
    // What is sent to the other does not come here; what is sent to us does.
    w.gateway.send(other.id, Bytes(3, 1));
    w.gateway.send(w.device.id, Bytes(3, 2));
    const auto message = client->message();
    REQUIRE(message);
    CHECK(message->payload == Bytes(3, 2));
}

TEST_CASE("a device writes to its own topic and no other") {
    World w;
    const Device other(12);
    REQUIRE(w.gateway.set(w.device));
    REQUIRE(w.gateway.set(other));
    auto client = w.connected(w.device);
    auto victim = w.connected(other);
    const Bytes payload(3, 1);
    for (const auto& to : {topic::up(other.id), topic::down(other.id), topic::down(w.device.id), std::string("n/x/up"),
                           std::string("nimes/edge/edge-1/presence"), std::string("nimes/edge/edge-1/state"),
                           std::string(topic::kControl), topic::up(w.device.id) + "/x"}) {
        INFO(to);
        CHECK(client->publish(to, payload) == kNo);
    }
    CHECK(client->publish(topic::up(w.device.id), Bytes(3, 2)) == 0);
    auto& g = w.gateway;
    REQUIRE(g.until([&] { return !g.heard.packets.empty(); }));
    CHECK(g.heard.packets.size() == 1);
    CHECK(g.heard.packets[0] == std::pair(w.device.id, Bytes(3, 2)));
    g.send(other.id, Bytes(3, 3));
    const auto message = victim->message();
    REQUIRE(message);
    CHECK(message->payload == Bytes(3, 3));
}

TEST_CASE("a retained message ends the connection and reaches nobody") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    client->publish(topic::up(w.device.id), Bytes(3, 1), 0, true);
    client->ended();
    CHECK_FALSE(client->ping());
    CHECK(w.connected(w.device)->publish(topic::up(w.device.id), Bytes(3, 2)) == 0);
    REQUIRE(g.until([&] { return !g.heard.packets.empty(); }));
    CHECK(g.heard.packets[0].second == Bytes(3, 2));
}

TEST_CASE("a mirror from a device changes nothing, even one that the directory signed") {
    World w;
    const Device other(12);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(other));
    auto client = w.connected(w.device);
    Roster roster;
    for (int i = 0; i < 10; ++i) roster.set(other, MirrorState::revoked);
    gateway::broker::MirrorFeed feed(roster, w.keys.directory.secret, org_id(Broker::kOrganisation), Broker::kName,
                                     g.clock);
    feed.linked();
    EdgeState state;
    state.wants_full = true;
    for (const auto& part : feed.on_state(state)) CHECK(client->publish(std::string(topic::kControl), part) == kNo);
    CHECK(w.connected(other)->ping());
}

TEST_CASE("a will is never published") {
    World w;
    const Device other(12);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(other));
    auto victim = w.connected(other);
    const std::string topics[] = {topic::down(other.id), topic::up(w.device.id), std::string(topic::kControl),
                                  topic::edge_presence(Broker::kName)};
    const auto to = topics[GENERATE(range(0U, 4U))];
    INFO(to);
    auto client = w.client();
    auto hello = w.device.hello(w.broker.url());
    hello.will = MqttMessage{to, Bytes(3, 1)};
    const auto answer = client->connect(hello);
    if (answer == 0) {
        CHECK(client->subscribe(topic::down(w.device.id)) <= 1);
        client->drop();
        REQUIRE(g.until([&] { return g.heard.presences.size() >= 3; }));  // both came, one is gone
    }
    g.send(other.id, Bytes(3, 2));
    const auto message = victim->message();
    REQUIRE(message);
    CHECK(message->payload == Bytes(3, 2));
    CHECK(victim->publish(topic::up(other.id), Bytes(3, 3)) == 0);
    REQUIRE(g.until([&] { return !g.heard.packets.empty(); }));
    CHECK(g.heard.packets[0] == std::pair(other.id, Bytes(3, 3)));
}

TEST_CASE("a packet that is too large ends the connection, and the largest good one passes") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    const auto up = topic::up(w.device.id);
    // All but the payload: fixed header 4, topic, packet id 2, property length 1.
    const auto room = topic::kMaxPacket - (4 + 2 + up.size() + 2 + 1);
    CHECK(client->publish(up, Bytes(room, 1)) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == 1; }));
    CHECK(g.heard.packets[0].second.size() == room);
    // Mosquitto counts the fixed header as one byte, not four.
    CHECK(client->publish(up, Bytes(room + 4, 1)) == MqttClient::kClosed);
    CHECK(w.connected(w.device)->publish(up, Bytes(1, 2)) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == 2; }));
    CHECK(g.heard.packets[1].second == Bytes(1, 2));
}

TEST_CASE("a device that floods is held to its rate; others are not") {
    World w;
    const Device other(12);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(other));
    auto client = w.connected(w.device);
    int refused = 0;
    for (int i = 0; i < 1'000 && refused == 0; ++i)
        if (client->publish(topic::up(w.device.id), Bytes(1, 1)) == kNo) ++refused;
    CHECK(refused == 1);
    CHECK(w.connected(other)->publish(topic::up(other.id), Bytes(1, 1)) == 0);
}

TEST_CASE("a packet for a device that is not there goes nowhere, now and later") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto hello = w.device.hello(w.broker.url());
    hello.clean_start = false;
    hello.session_expiry = 3'600;  // asks the broker to remember it
    auto client = w.client();
    REQUIRE(client->connect(hello) == 0);
    REQUIRE(client->subscribe(topic::down(w.device.id)) <= 1);
    client->drop();
    REQUIRE(
        g.until([&] { return !g.heard.presences.empty() && g.heard.presences.back().kind == Presence::Kind::gone; }));
    g.send(w.device.id, Bytes(3, 1));
    auto again = w.connected(w.device);
    g.send(w.device.id, Bytes(3, 2));
    const auto message = again->message();
    REQUIRE(message);
    CHECK(message->payload == Bytes(3, 2));
}

}  // namespace
}  // namespace nimes::test
