#include "handset.hpp"

namespace nimes::agent::transport {
namespace {

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
    handset.options.keepalive = {60 * kSecond, 77 * kSecond, 70 * kSecond};
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
        if (connect) echo(peer, *connect);
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
        echo(peer, *connect);
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 4; }));
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::lost);
    CHECK(end.was_connected);
    REQUIRE(session.publish(bytes("hello")));
    handset.first<Packet>();
    CHECK(handset.all<Disconnected>().size() == 3);
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

TEST_CASE("a kick is told with its reason, and does not outlive its connection") {
    TlsServer server([](Stream& stream, int number) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        if (!connect) return;
        if (number == 0) peer.disconnect(0x98);
        echo(peer, *connect);
    });
    Handset handset({server.mqtts()});
    auto& session = handset.start();
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::closed);
    CHECK(end.reason == 0x98);
    CHECK(end.was_connected);
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    REQUIRE(session.publish(bytes("hello")));
    handset.first<Packet>();
    CHECK(handset.all<Disconnected>().size() == 1);
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
    handset.options.receipt_timeout = 200;
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
    const std::size_t size = GENERATE(200u, 90'000u);
    Handset handset({server.mqtts()});
    handset.options.max_queued_bytes = 200'000;
    auto& session = handset.start();
    handset.first<Connected>();
    std::size_t taken = 0;
    const auto full = [&] {
        for (;;) {
            if (!session.publish(Bytes(size), Expect::nothing)) break;
            taken += size;
        }
        // The kernel's buffers take some too, so it fills up step by step.
        const auto before = taken;
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        if (session.publish(Bytes(size), Expect::nothing)) taken += size;
        return before == taken;
    };
    REQUIRE(soon(full));
    CHECK(session.publish(Bytes(size)).error().code == Errc::busy);
    CHECK(taken < 20U << 20);
    CHECK(handset.all<Disconnected>().empty());
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
    handset.options.answer_timeout = 1'000;
    handset.options.receipt_timeout = 1'000;
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

}  // namespace
}  // namespace nimes::agent::transport
