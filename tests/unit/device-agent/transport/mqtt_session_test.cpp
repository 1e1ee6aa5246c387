#include "transport/mqtt_session.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>

#include "mqtt_peer.hpp"
#include "nimes/topics.hpp"

namespace nimes::agent::transport {
namespace {

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
void stay(MqttPeer& peer) {
    while (peer.packet()) {
    }
}

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

TEST_CASE("CONNECT says version 5, a clean start, no session afterwards, and a token for this broker") {
    std::mutex mutex;
    std::optional<MqttConnectPacket> seen;
    std::string filter;
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        const auto connect = peer.await(1);
        if (!connect || !peer.connack()) return;
        const auto subscribe = peer.await(8);
        if (!subscribe || !peer.suback(*subscribe)) return;
        {
            const std::lock_guard lock(mutex);
            seen = parse_connect(connect->body);
            filter = as_text(subscribe->body);
        }
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.keepalive_s = 77;
    auto& session = handset.start();
    CHECK(handset.first<Connected>().broker == server.mqtts());
    CHECK(session.connected());
    const std::lock_guard lock(mutex);
    REQUIRE(seen);
    CHECK(seen->version == 5);
    CHECK((seen->flags & 0x02) != 0);
    CHECK(seen->keepalive == 77);
    CHECK(seen->session_expiry.value_or(0) == 0);
    CHECK(seen->max_packet.value_or(0) >= topic::kMaxPacket);
    CHECK(seen->client == to_text(handset.options.device));
    CHECK(seen->user == seen->client);
    CHECK(seen->password == server.mqtts() + "#1");
    CHECK(filter.find(handset.down()) != std::string::npos);
}

TEST_CASE("packets go both ways, in order") {
    const std::string largest(topic::kMaxPacket, 'x');
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        if (!connect) return;
        while (const auto up = peer.received())
            if (!peer.publish("n/" + connect->client + "/down", *up)) return;
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    handset.first<Connected>();
    for (int i = 0; i < 200; ++i) REQUIRE(session.publish(bytes("packet " + std::to_string(i))));
    REQUIRE(session.publish(bytes(largest)));
    REQUIRE(soon([&] { return handset.all<Packet>().size() == 201; }));
    const auto packets = handset.all<Packet>();
    for (std::size_t i = 0; i < 200; ++i) CHECK(packets[i].bytes == bytes("packet " + std::to_string(i)));
    CHECK(packets[200].bytes == bytes(largest));
    const auto refused = session.publish(Bytes(topic::kMaxPacket + 1));
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::too_large);
}

TEST_CASE("a cut connection is made again with a fresh token") {
    std::mutex mutex;
    std::vector<std::string> passwords;
    TlsServer server([&](Stream& stream, int number) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        if (!connect) return;
        {
            const std::lock_guard lock(mutex);
            passwords.push_back(connect->password);
        }
        if (number < 3) return peer.cut();
        stay(peer);
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 4; }));
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::lost);
    CHECK(end.was_connected);
    CHECK(session.connected());
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < 4; ++i) CHECK(passwords[i] == server.mqtts() + "#" + std::to_string(i + 1));
}

TEST_CASE("refusals carry the broker's reason") {
    const bool at_subscribe = GENERATE(false, true);
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        const auto connect = peer.await(1);
        if (!connect) return;
        peer.connack(at_subscribe ? 0 : 0x8a);
        if (const auto subscribe = peer.await(8)) peer.suback(*subscribe, 0x87);
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.start();
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::refused);
    CHECK(end.reason == (at_subscribe ? 0x87 : 0x8a));
    CHECK(!end.was_connected);
    CHECK(handset.all<Connected>().empty());
    CHECK(soon([&] { return server.connections() >= 3; }));  // it goes on trying
}

TEST_CASE("a kick is told with its reason") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (!peer.welcome()) return;
        peer.disconnect(0x98);
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.start();
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::closed);
    CHECK(end.reason == 0x98);
    CHECK(end.was_connected);
}

TEST_CASE("nobody but a host certified by the provisioned authority is talked to") {
    const auto handler = [](Stream& stream, int) {
        MqttPeer peer(stream);
        if (peer.welcome()) stay(peer);
    };
    SECTION("another authority, even one the system trusts") {
        const auto& foreign = authority("foreign");
        setenv("SSL_CERT_FILE", foreign.ca.c_str(), 1);
        TlsServer server(handler, foreign);
        Handset handset({server.mqtts()});
        handset.start();
        CHECK(handset.first<Disconnected>().cause == DisconnectCause::lost);
        CHECK(handset.all<Connected>().empty());
        handset.session.reset();
        unsetenv("SSL_CERT_FILE");
    }
    SECTION("another host") {
        TlsServer server(handler, authority(), 2);
        Handset handset({server.at("mqtts", "127.0.0.2")});
        handset.start();
        CHECK(handset.first<Disconnected>().cause == DisconnectCause::lost);
        CHECK(handset.all<Connected>().empty());
    }
    SECTION("the right one by its address") {
        TlsServer server(handler);
        Handset handset({server.at("mqtts", "127.0.0.1")});
        handset.start();
        handset.first<Connected>();
    }
}

TEST_CASE("an answer that stays away ends the connection; what wants none does not") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (peer.welcome()) stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.answer_timeout = 200;
    auto& session = handset.start();
    handset.first<Connected>();
    REQUIRE(session.publish(bytes("acknowledgement"), Expect::nothing));
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    CHECK(handset.all<Disconnected>().empty());
    REQUIRE(session.publish(bytes("question"), Expect::answer));
    CHECK(handset.first<Disconnected>().cause == DisconnectCause::silent);
    CHECK(soon([&] { return handset.all<Connected>().size() >= 2; }));
}

TEST_CASE("any packet proves that the connection lives") {
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        while (connect && peer.received()) peer.publish("n/" + connect->client + "/down", as_bytes("anything"));
    });
    Handset handset({server.mqtts()});
    handset.options.answer_timeout = 10 * kSecond;
    auto& session = handset.start();
    handset.first<Connected>();
    for (std::size_t i = 1; i <= 5; ++i) {
        REQUIRE(session.publish(bytes("question")));
        REQUIRE(soon([&] { return handset.all<Packet>().size() == i; }));
        handset.clock.ahead += 4 * kSecond;
    }
    CHECK(handset.all<Disconnected>().empty());
    REQUIRE(session.publish(bytes("question")));
    CHECK(soon([&] { return handset.all<Packet>().size() == 6; }));
}

TEST_CASE("a broker that takes nothing is not fed without bound") {
    std::atomic<bool> ended = false;
    TlsServer server([&](Stream& stream, int) {
        MqttPeer peer(stream);
        if (!peer.welcome()) return;
        (void)soon([&] { return ended.load(); });
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    handset.first<Connected>();
    std::size_t taken = 0;
    const auto full = [&] {
        const auto sent = session.publish(Bytes(60'000), Expect::nothing);
        if (sent) taken += 60'000;
        return !sent && sent.error().code == Errc::busy;
    };
    // The kernel's buffers take some too, so it fills up step by step.
    REQUIRE(soon(full));
    CHECK(taken < 64U << 20);
    session.stop();  // and it can be stopped
    ended = true;
}

TEST_CASE("silence is noticed while the network takes nothing") {
    std::atomic<bool> ended = false;
    TlsServer server([&](Stream& stream, int number) {
        MqttPeer peer(stream);
        if (!peer.welcome()) return;
        if (number == 0) (void)soon([&] { return ended.load(); });
    });
    Handset handset({server.mqtts()});
    handset.options.answer_timeout = 2'000;
    auto& session = handset.start();
    handset.first<Connected>();
    REQUIRE(session.publish(bytes("question")));
    REQUIRE(soon([&] {
        (void)session.publish(Bytes(60'000), Expect::nothing);
        return !handset.all<Disconnected>().empty();
    }));
    CHECK(handset.first<Disconnected>().cause == DisconnectCause::silent);
    ended = true;
}

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
        if (peer.welcome()) stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.reconnect = {kHour, kHour, kHour};
    auto& session = handset.start();
    handset.first<Connected>();
    session.reconnect();
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::asked);
    CHECK(end.next_try_in == 0);
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
    options.keepalive_s = 601;
    CHECK(refused(options));
    options.keepalive_s = 0;
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
