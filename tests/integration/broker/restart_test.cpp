// Brokers crash, stop and reload; gateways go. What must hold meanwhile and afterwards.
#include <catch2/catch.hpp>
#include <fstream>

#include "edge.hpp"

namespace nimes::test {
namespace {

bool snapshot_holds(const Broker& broker, const Keys& keys, std::uint64_t revision) {
    const auto file = read_text(broker.snapshot());
    Reader in(as_bytes(file));
    std::uint64_t newest = 0;
    while (in.left() > 0) {
        const auto part = MirrorPart::open(in.take(in.u32()), keys.directory.public_key, org_id(Broker::kOrganisation),
                                           Broker::kName);
        if (part) newest = part->to;
    }
    return newest == revision;
}

TEST_CASE("after a crash of the broker the link, the mirror and devices come back by themselves") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    auto client = w.connected(w.device);
    w.broker.crash();
    CHECK(client->ended() == MqttClient::kClosed);
    REQUIRE(g.until([&] { return g.heard.unlinked == 1; }));
    CHECK_FALSE(g.link.linked());

    const Device late(12);  // enrolled while the broker was away
    g.roster.set(late, MirrorState::active);
    w.broker.start();
    REQUIRE(g.until([&] { return g.heard.linked == 2 && g.obeyed(); }));
    auto again = w.connected(w.device);
    auto other = w.connected(late);
    CHECK(again->publish(topic::up(w.device.id), Bytes(10, 1)) == 0);
    REQUIRE(g.until([&] { return g.heard.packets.size() == 1; }));
    g.send(late.id, Bytes(10, 2));
    CHECK(other->message());
}

TEST_CASE("a broker that flaps ends in one link") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    for (int i = 0; i < 10; ++i) {
        if (i % 2 == 0) w.broker.crash();
        else w.broker.stop();
        REQUIRE(g.until([&] { return !g.link.linked(); }));
        w.broker.start();
        REQUIRE(g.until([&] { return g.link.linked(); }));
    }
    REQUIRE(g.until([&] { return g.obeyed(); }));
    auto client = w.connected(w.device);
    CHECK(client->publish(topic::up(w.device.id), Bytes(10, 1)) == 0);
    REQUIRE(g.until([&] { return !g.heard.packets.empty(); }));
    CHECK(client->ping());  // time for a second copy, had there been two subscriptions
    CHECK(g.heard.packets.size() == 1);
    g.link.stop();
    CHECK(g.heard.linked == g.heard.unlinked);
}

TEST_CASE("a snapshot keeps devices admitted when the broker restarts without the gateway") {
    World w;
    const Device revoked(12);
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    REQUIRE(g.set(revoked));
    REQUIRE(g.set(revoked, MirrorState::revoked));
    REQUIRE(soon([&] { return snapshot_holds(w.broker, w.keys, g.roster.revision()); }));
    g.link.stop();
    w.broker.crash();
    SECTION("good") {
        w.broker.start();
        CHECK(w.connected(w.device)->ping());
        CHECK(w.client()->connect(revoked.hello(w.broker.url())) == MqttClient::kNotAuthorised);
    }
    const auto nobody_enters = [&](const std::string& why, Millis at) {
        auto hello = w.device.hello(w.broker.url());
        hello.password = w.device.token(w.broker.url(), at);
        CHECK(w.client()->connect(hello) == MqttClient::kNotAuthorised);
        CHECK(w.broker.log().find("no device is admitted until the gateway sends a mirror: " + why) !=
              std::string::npos);
    };
    const auto write = [&](const std::string& bytes) {
        std::ofstream(w.broker.snapshot(), std::ios::binary | std::ios::trunc) << bytes;
    };
    const auto now = g.clock.now();
    SECTION("one byte of it changed: nobody enters, and the log says so") {
        auto bytes = read_text(w.broker.snapshot());
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        write(bytes);
        w.broker.start();
        nobody_enters("a signature does not verify", now);
    }
    SECTION("cut off in its last byte") {
        auto bytes = read_text(w.broker.snapshot());
        bytes.pop_back();
        write(bytes);
        w.broker.start();
        nobody_enters("the input is not well-formed: the snapshot is damaged: cut off", now);
    }
    // In form each of these is right, and says that the device may enter.
    const auto write_one_of = [&](const SigningKey& directory, const OrgId& org, const std::string& name) {
        Roster roster;
        roster.set(w.device, MirrorState::active);
        gateway::broker::MirrorFeed feed(roster, directory, org, name, g.clock);
        feed.linked();
        EdgeState state;
        state.wants_full = true;
        Writer file;
        for (const auto& part : feed.on_state(state)) file.u32(static_cast<std::uint32_t>(part.size())).bytes(part);
        write(std::string(as_text(file.view())));
        w.broker.start();
    };
    const auto own = org_id(Broker::kOrganisation);
    SECTION("another directory's") {
        write_one_of(signing_key_from_seed(Bytes(32, 99)).secret, own, Broker::kName);
        nobody_enters("a signature does not verify", now);
    }
    SECTION("another organisation's, of a directory with the same key") {
        write_one_of(w.keys.directory.secret, org_id("polizei-anderswo"), Broker::kName);
        nobody_enters("the input is not well-formed: a mirror part for another organisation or broker", now);
    }
    SECTION("another broker's") {
        write_one_of(w.keys.directory.secret, own, "edge-9");
        nobody_enters("the input is not well-formed: a mirror part for another organisation or broker", now);
    }
    SECTION("its own, so written: the device enters") {
        write_one_of(w.keys.directory.secret, own, Broker::kName);
        CHECK(w.connected(w.device)->ping());
    }
    SECTION("too old: its broker was off for more than a day") {
        w.broker.own_clock(Broker::Clocks::wall);
        w.broker.ahead(std::chrono::hours(25));
        w.broker.start();
        nobody_enters("", now + 25 * kHour);
        CHECK(w.broker.log().find("the snapshot is too old") != std::string::npos);
        soon([&] { return w.broker.refusals()["mirror"] == 1; });
        CHECK(w.broker.refusals()["mirror"] == 1);
    }
    SECTION("gone: nobody enters") {
        std::filesystem::remove(w.broker.snapshot());
        w.broker.start();
        nobody_enters("", now);
        CHECK(w.broker.log().find("no snapshot") != std::string::npos);
    }
}

TEST_CASE("the mirror alone lets a device in: a broker without one waits for the gateway") {
    Keys keys;
    Broker broker(keys.directory.public_key, keys.gateway.public_key);
    broker.start();
    const Device device(11);
    MqttClient early(broker.port(), broker.ca());
    CHECK(early.connect(device.hello(broker.url())) == MqttClient::kNotAuthorised);
    Edge gateway(keys, broker);
    REQUIRE(gateway.link.start());
    REQUIRE(gateway.set(device));
    MqttClient now(broker.port(), broker.ca());
    CHECK(now.connect(device.hello(broker.url())) == 0);
}

TEST_CASE("a mirror that the directory key did not sign changes nothing") {
    World w;
    auto& g = w.gateway;
    REQUIRE(g.set(w.device));
    const auto foreign = signing_key_from_seed(Bytes(32, 99));
    Roster other;
    other.set(w.device, MirrorState::revoked);
    gateway::broker::MirrorFeed feed(other, foreign.secret, org_id(Broker::kOrganisation), Broker::kName, g.clock);
    feed.linked();
    EdgeState state;
    state.wants_full = true;
    for (auto& part : feed.on_state(state)) g.link.control(std::move(part));
    REQUIRE(soon([&] { return w.broker.log().find("a mirror part was refused") != std::string::npos; }));
    CHECK(w.connected(w.device)->ping());
}

TEST_CASE("a reload throws nobody out whose token has served") {
    World w;
    REQUIRE(w.gateway.set(w.device));
    auto client = w.connected(w.device);
    w.broker.reload();
    // The broker asks again for every session with its old token, whose nonce has been seen: still there.
    REQUIRE(soon([&] { return w.broker.log().find("Reloading config") != std::string::npos; }));
    CHECK(client->ping());
    CHECK(client->publish(topic::up(w.device.id), Bytes(10, 1)) == 0);
    CHECK(w.gateway.link.linked());
}

}  // namespace
}  // namespace nimes::test
