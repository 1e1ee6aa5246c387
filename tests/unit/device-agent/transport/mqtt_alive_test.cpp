#include "handset.hpp"

// Is the connection alive? What a session asks, when, and what it makes of what comes or does not.
namespace nimes::agent::transport {
namespace {

constexpr Keepalive::Limits kQuick{kSecond, 8 * kSecond, 2 * kSecond};

// PUBACKs whatever wants one; `reason` of it.
void acknowledge(MqttPeer& peer, std::uint8_t reason = 0) {
    while (const auto number = peer.asked())
        if (!peer.puback(*number, reason)) return;
}

TEST_CASE("after a silence the broker is asked, ever later while it answers, and that is remembered") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (peer.welcome()) acknowledge(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.keepalive = kQuick;
    handset.start();
    handset.first<Connected>();
    CHECK(handset.first<Alive>().heard);
    CHECK(soon([&] { return handset.all<Alive>().size() >= 3; }));
    CHECK(handset.all<Disconnected>().empty());
    REQUIRE(soon([&] { return !handset.all<PathLearned>().empty(); }));
    const auto learned = handset.all<PathLearned>();
    CHECK(learned.back().path.silence > 2 * kSecond);
    CHECK(learned.back().path.fell == 0);
}

TEST_CASE("half-open: nothing is answered any more, so the connection is given up and the path remembered as short") {
    TlsServer server([](Stream& stream, int number) {
        MqttPeer peer(stream);
        if (!peer.welcome()) return;
        if (number == 0) return stay(peer);  // takes everything, answers nothing
        acknowledge(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.keepalive = kQuick;
    handset.options.paths[""] = {4 * kSecond, 0, 0};
    handset.options.receipt_timeout = 300;
    handset.start();
    const auto end = handset.first<Disconnected>();
    CHECK(end.cause == DisconnectCause::silent);
    CHECK(end.was_connected);
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    const auto learned = handset.all<PathLearned>();
    REQUIRE(!learned.empty());
    CHECK(learned.front().path.fell >= 4 * kSecond);
    CHECK(learned.front().path.silence < 3 * kSecond);
}

TEST_CASE("a gateway that is away is not a path that is away") {
    TlsServer server([](Stream& stream, int) {
        MqttPeer peer(stream);
        if (peer.welcome()) acknowledge(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.answer_timeout = 200;
    handset.options.receipt_timeout = kMinute;
    auto& session = handset.start();
    handset.first<Connected>();
    for (std::size_t i = 1; i <= 3; ++i) {
        REQUIRE(session.publish(bytes("question"), Expect::answer));
        REQUIRE(soon([&] { return handset.all<Alive>().size() == i; }));
    }
    CHECK(!handset.first<Alive>().heard);
    CHECK(session.connected());
    CHECK(handset.all<Disconnected>().empty());
}

TEST_CASE("the broker's Server Keep Alive is kept, although Paho does not") {
    std::mutex mutex;
    std::vector<std::uint16_t> said;
    std::atomic<bool> asked = false;
    TlsServer server([&](Stream& stream, int number) {
        MqttPeer peer(stream);
        const auto connect = peer.welcome(2);
        if (!connect) return;
        {
            const std::lock_guard lock(mutex);
            said.push_back(connect->keepalive);
        }
        const auto ask = peer.asked();
        if (!ask) return;
        peer.puback(*ask);
        asked = true;
        if (number == 0) return peer.cut();
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.start();
    CHECK(soon([&] { return asked.load(); }));  // long before our own four minutes
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    REQUIRE(soon([&] {
        const std::lock_guard lock(mutex);
        return said.size() == 2;
    }));
    const std::lock_guard lock(mutex);
    CHECK(said[0] == 480);
    CHECK(said[1] == 2);
}

TEST_CASE("another network: at once, without the back-off, and with what is known of that one") {
    std::mutex mutex;
    std::vector<std::uint16_t> said;
    std::atomic<bool> open = false;
    TlsServer server([&](Stream& stream, int) {
        if (!open) return;
        MqttPeer peer(stream);
        const auto connect = peer.welcome();
        if (!connect) return;
        {
            const std::lock_guard lock(mutex);
            said.push_back(connect->keepalive);
        }
        stay(peer);
    });
    Handset handset({server.mqtts()});
    handset.options.reconnect = {kHour, kHour, kHour};
    handset.options.paths["barracks"] = {100 * kSecond, 0, 0};
    auto& session = handset.start();
    const auto end = handset.first<Disconnected>();
    REQUIRE(end.next_try_in > 0);
    open = true;
    session.network_changed("barracks");  // while it waits for up to an hour
    handset.first<Connected>();
    session.network_changed("car");  // while it is connected
    REQUIRE(soon([&] { return handset.all<Connected>().size() == 2; }));
    CHECK(handset.all<Disconnected>().back().cause == DisconnectCause::asked);
    CHECK(handset.all<Disconnected>().back().next_try_in == 0);
    REQUIRE(soon([&] {
        const std::lock_guard lock(mutex);
        return said.size() == 2;
    }));
    const std::lock_guard lock(mutex);
    CHECK(said[0] == 200);
    CHECK(said[1] == 480);
}

}  // namespace
}  // namespace nimes::agent::transport
