#include "handset.hpp"

namespace nimes::agent::transport {
namespace {

TEST_CASE("it stops while the broker keeps it waiting") {
    const bool before_connack = GENERATE(true, false);
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        if (!before_connack && peer.await(1)) peer.connack();
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.connect_timeout = kHour;  // beyond the test's own limit
    auto& session = handset.start();
    REQUIRE(soon([&] { return server.connections() == 1; }));
    session.stop();
    session.stop();
    CHECK(handset.all<Connected>().empty());
    CHECK(session.publish(bytes("late")).error().code == Errc::offline);
}

TEST_CASE("an answer to CONNECT or SUBSCRIBE that stays away is a failed attempt") {
    const bool before_connack = GENERATE(true, false);
    TlsServer server([&](Stream& stream, int number) {
        MqttPeer peer(stream);
        if (number > 0) {
            if (peer.welcome()) stay(peer);
            return;
        }
        if (!before_connack && peer.await(1)) peer.connack();
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.connect_timeout = kSecond;
    handset.start();
    handset.first<Connected>();
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::lost);
    CHECK(!end.was_connected);
}

TEST_CASE("try_now ends a wait, and is forgotten once connected") {
    TlsServer server([](Stream& stream, int number) {
        MqttPeer peer(stream);
        if (number == 0) return;
        if (!peer.welcome()) return;
        if (number == 1) {
            peer.await(3);
            return peer.cut();
        }
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.reconnect = {kHour, kHour, kHour};
    auto& session = handset.start();
    REQUIRE(handset.first<Disconnected>().next_try_in > 0);
    session.try_now();
    handset.first<Connected>();
    session.try_now();
    REQUIRE(session.publish(bytes("cut me")));
    REQUIRE(soon([&] { return handset.all<Disconnected>().size() == 2; }));
    CHECK(handset.all<Disconnected>()[1].next_try_in > 0);
}

TEST_CASE("reconnect() makes another connection at once") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (const auto connect = peer.welcome()) echo(peer, *connect);
    });
    Handset handset({server.mqtts()});
    handset.options.reconnect = {kHour, kHour, kHour};
    auto& session = handset.start();
    handset.first<Connected>();
    session.reconnect();
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    REQUIRE(session.publish(bytes("hello")));
    handset.first<Packet>();
    CHECK(handset.all<Disconnected>().size() == 1);
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::asked);
    CHECK(end.next_try_in == 0);
}

TEST_CASE("elsewhere() leaves a broker for the other one, and is nothing where there is none") {
    const auto serve = [](Stream& stream, int) {
        MqttPeer peer(stream);
        if (const auto connect = peer.welcome()) echo(peer, *connect);
    };
    TlsServer one(serve), two(serve);
    Handset handset({one.mqtts(), two.mqtts()});
    handset.options.reconnect = {kHour, kHour, kHour};
    auto& session = handset.start();
    for (const std::size_t moves : {1, 2, 3}) {
        REQUIRE(soon([&] { return handset.all<Connected>().size() == moves; }));
        REQUIRE(soon([&] { return session.connected(); }));
        session.elsewhere();
        REQUIRE(soon([&] { return handset.all<Connected>().size() == moves + 1; }));
        CHECK(one.connections() + two.connections() == static_cast<int>(moves) + 1);
        CHECK(std::abs(one.connections() - two.connections()) <= 1);
    }
    Handset alone({one.mqtts()});
    auto& only = alone.start();
    alone.first<Connected>();
    only.elsewhere();
    REQUIRE(only.publish(bytes("still here")));
    alone.first<Packet>();
    CHECK(alone.all<Connected>().size() == 1);
}

TEST_CASE("nonsense from a broker ends that connection and nothing else") {
    const std::string nonsense =
        GENERATE(as<std::string>{}, std::string("\x30\xff\xff\xff\xff\xff", 6), std::string("\x30\x03\x00\x09n", 5),
                 std::string("\xf0\x00", 2), std::string("\x20\x00", 2), std::string(4'000, '\xff'));
    TlsServer server([&](Stream& stream, int number) {
        MqttPeer peer(stream);
        if (!peer.welcome()) return;
        if (number == 0) {
            stream.send(nonsense);
            return;
        }
        stay(peer);
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    CHECK(handset.all<Packet>().empty());
    CHECK(session.connected());
}

TEST_CASE("a packet beyond the limit is not handed on") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        if (!connect) return;
        const auto down = "n/" + connect->client + "/down";
        peer.publish(down, Bytes(topic::kMaxPacket + 1));
        peer.publish(down, as_bytes("small"));
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.start();
    CHECK(handset.first<Packet>().bytes == bytes("small"));
}

TEST_CASE("a broker that is down is passed over for the next") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (peer.welcome()) stay(peer);
    });
    Handset handset({"mqtts://localhost:1", server.mqtts(), "mqtts://localhost:2"});
    handset.start();
    CHECK(handset.first<Connected>().broker == server.mqtts());
}

TEST_CASE("options that cannot work are refused") {
    Handset handset({"mqtts://localhost:1"});
    const auto refused = [&](MqttOptions options) {
        MqttSession session(
            std::move(options), [](std::string_view) -> Result<std::string> { return fail(Errc::internal); },
            [](const MqttEvent&) {}, handset.clock, handset.random);
        const auto started = session.start();
        return !started && started.error().code == Errc::bad_config;
    };
    auto options = handset.options;
    options.brokers.clear();
    CHECK(refused(options));
    options.brokers = {"mqtt://localhost:1"};
    CHECK(refused(options));
    options = handset.options;
    options.keepalive.most = 2 * kHour;
    CHECK(refused(options));
    options = handset.options;
    options.keepalive.least = 0;
    CHECK(refused(options));
    options = handset.options;
    options.trust_store = "/nowhere/ca.pem";
    CHECK(refused(options));
    CHECK(!refused(handset.options));
}

TEST_CASE("without a token nothing is sent") {
    TlsServer server([](Stream&, int) {});
    Handset handset({server.mqtts()});
    MqttSession session(
        handset.options, [](std::string_view) -> Result<std::string> { return fail(Errc::locked); },
        [&](MqttEvent event) {
            const std::lock_guard lock(handset.mutex);
            handset.events.push_back(std::move(event));
        },
        handset.clock, handset.random);
    REQUIRE(session.start());
    CHECK(handset.first<Disconnected>().cause == DisconnectCause::no_token);
    session.stop();
    CHECK(server.connections() == 0);
}

}  // namespace
}  // namespace nimes::agent::transport
