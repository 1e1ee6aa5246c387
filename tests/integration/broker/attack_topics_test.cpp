// What an admitted device that turned bad tries with topics, at the real broker: everything but its own two is denied.
#include <catch2/catch.hpp>

#include "edge.hpp"

namespace nimes::test {
namespace {

constexpr int kNo = MqttClient::kNotAuthorised;
constexpr int kPublish = 3, kPuback = 4, kSubscribe = 8, kSuback = 9, kUnsubscribe = 10, kUnsuback = 11;
constexpr std::uint8_t kTopicAlias = 0x23;

void text(Writer& out, std::string_view value) { out.u16(static_cast<std::uint16_t>(value.size())).text(value); }

struct Inside : World {
    Device other{12};
    std::unique_ptr<MqttClient> bad, victim;

    Inside() {
        REQUIRE(gateway.set(device));
        REQUIRE(gateway.set(other));
        bad = connected(device);
        victim = connected(other);
    }
    // Denied, or thrown out for a filter that is none; in again then.
    bool refused(const std::string& filter) {
        const int answer = bad->subscribe(filter);
        if (answer == MqttClient::kClosed) bad = connected(device);
        return answer == kNo || answer == MqttClient::kClosed;
    }
    // The other's packet reaches the other alone; each is served as before, and nothing of the attack was heard.
    void nothing_happened() {
        gateway.send(other.id, Bytes(3, 1));
        gateway.send(device.id, Bytes(3, 2));
        const auto mine = bad->message();
        REQUIRE(mine);
        CHECK(mine->payload == Bytes(3, 2));
        const auto theirs = victim->message();
        REQUIRE(theirs);
        CHECK(theirs->payload == Bytes(3, 1));
        CHECK(victim->publish(topic::up(other.id), Bytes(3, 3)) == 0);
        REQUIRE(gateway.until([&] { return !gateway.heard.packets.empty(); }));
        CHECK(gateway.heard.packets.size() == 1);
        CHECK(gateway.heard.packets[0] == std::pair(other.id, Bytes(3, 3)));
    }
    int publish_by_alias(const std::string& to, std::uint16_t alias) {
        Writer body;
        text(body, to);
        body.u16(77).u8(3).u8(kTopicAlias).u16(alias).bytes(Bytes(3, 4));
        bad->send(kPublish << 4 | 2, body.view());
        const auto answer = bad->reply(kPuback);
        if (!answer) return MqttClient::kClosed;
        return answer->size() > 2 ? answer->at(2) : 0;
    }
};

TEST_CASE("$CONTROL is closed to a device, ours, dynamic-security's and any other, both ways") {
    Inside w;
    for (const std::string topic :
         {"$CONTROL/nimes/v1", "$CONTROL/nimes/v1/down", "$CONTROL/dynamic-security/v1", "$CONTROL/broker/v1",
          "$CONTROL/dynamic-security/v1/response", "$CONTROL/x/v1", "$CONTROL/", "$CONTROL"}) {
        INFO(topic);
        CHECK(w.bad->publish(topic, Bytes(3, 1)) == kNo);
        CHECK(w.bad->publish(topic, Bytes(3, 1), 0) == 0);  // tells nothing, and does nothing
        CHECK(w.refused(topic));
    }
    for (const std::string filter : {"$CONTROL/#", "$CONTROL/+/v1", "$CONTROL/+/+/response"}) CHECK(w.refused(filter));
    w.nothing_happened();
}

TEST_CASE("$SYS is closed to a device, both ways") {
    Inside w;
    for (const std::string topic : {"$SYS/broker/uptime", "$SYS/broker/clients/connected", "$SYS/x", "$SYS"}) {
        INFO(topic);
        CHECK(w.bad->publish(topic, Bytes(3, 1)) == kNo);
        CHECK(w.refused(topic));
    }
    for (const std::string filter : {"$SYS/#", "$SYS/broker/#", "$SYS/+/+", "$SYS/broker/log/N", "+/broker/uptime"})
        CHECK(w.refused(filter));
    w.nothing_happened();
}

TEST_CASE("$share gives no device a part of anything") {
    Inside w;
    const auto theirs = topic::down(w.other.id);
    const auto mine = topic::down(w.device.id);
    for (const auto& filter :
         {"$share/gateway/nimes/up/+" + std::string(), "$share/gateway/n/+/up" + std::string(),
          "$share/gateway/" + topic::up(w.other.id), "$share/g/" + theirs, "$share/g/" + mine,
          std::string("$share/g/#"), std::string("$share/g/n/#"), std::string("$share/+/n/+/up"), "$share//" + theirs,
          "$share/" + theirs, std::string("$share/g/"), std::string("$share/g"), std::string("$share/"),
          "$share/g/$share/g/" + theirs, "$SHARE/g/" + theirs, "$share/g/n/" + to_text(w.other.id) + "/+"}) {
        INFO(filter);
        CHECK(w.refused(filter));
    }
    w.nothing_happened();
}

TEST_CASE("wildcards and others' topics are denied, alone, among good ones and in what is unsubscribed") {
    Inside w;
    const auto theirs = topic::down(w.other.id);
    const auto mine = topic::down(w.device.id);
    for (const auto& filter :
         {std::string("#"), std::string("+"), std::string("+/#"), std::string("/#"), std::string("n/+/down"),
          std::string("n/+/up"), "n/" + to_text(w.device.id) + "/+", "n/" + to_text(w.device.id) + "/#", "+" + mine,
          mine + "/+", theirs, theirs + "/#", topic::up(w.other.id), topic::up(w.device.id), "/" + mine,
          mine + std::string(1, '\0'), std::string("nimes/edge/+/+"), std::string("nimes/up/+")}) {
        INFO(filter);
        CHECK(w.refused(filter));
    }
    Writer several;
    several.u16(9).u8(0);
    for (const auto& filter : {theirs, mine, std::string("n/+/down")}) {
        text(several, filter);
        several.u8(0);
    }
    w.bad->send(kSubscribe << 4 | 2, several.view());
    const auto granted = w.bad->reply(kSuback);
    REQUIRE(granted);
    REQUIRE(granted->size() == 6);
    CHECK(granted->at(3) == kNo);
    CHECK(granted->at(4) == 0);
    CHECK(granted->at(5) == kNo);

    Writer away;
    text(away.u16(10).u8(0), theirs);
    w.bad->send(kUnsubscribe << 4 | 2, away.view());
    const auto gone = w.bad->reply(kUnsuback);
    REQUIRE(gone);
    CHECK(gone->back() == kNo);
    w.nothing_happened();
}

TEST_CASE("a topic alias leads to no topic that is denied") {
    Inside w;
    CHECK(w.publish_by_alias(topic::up(w.other.id), 1) == kNo);
    CHECK(w.publish_by_alias("", 1) == kNo);  // the broker has kept what it stands for
    CHECK(w.publish_by_alias("$CONTROL/nimes/v1", 2) == kNo);
    CHECK(w.publish_by_alias("", 2) == kNo);
    CHECK(w.publish_by_alias(topic::up(w.device.id), 1) == 0);  // control: it works for one's own
    CHECK(w.publish_by_alias("", 1) == 0);
    REQUIRE(w.gateway.until([&] { return w.gateway.heard.packets.size() == 2; }));
    for (const auto& packet : std::exchange(w.gateway.heard.packets, {}))
        CHECK(packet == std::pair(w.device.id, Bytes(3, 4)));
    CHECK(w.publish_by_alias("", 9) == MqttClient::kClosed);  // stands for nothing
    w.bad = w.connected(w.device);
    w.nothing_happened();
}

TEST_CASE("QoS 2 is denied, for what is published and what is asked for") {
    Inside w;
    Writer body;
    text(body, topic::up(w.device.id));
    body.u16(5).u8(0).bytes(Bytes(3, 1));
    w.bad->send(kPublish << 4 | 4, body.view());
    constexpr int kPubrec = 5;
    const auto answer = w.bad->reply(kPubrec);
    REQUIRE(answer);
    REQUIRE(answer->size() > 2);
    CHECK(answer->at(2) == kNo);
    w.nothing_happened();
}

TEST_CASE("a device that floods with what costs it nothing is not the others' burden") {
    Inside w;
    const auto mine = topic::up(w.device.id);
    for (int i = 0; i < 5'000; ++i) w.bad->publish(mine, Bytes(1, 1), 0);
    Writer subscribe;
    text(subscribe.u16(1).u8(0), "n/+/down");
    subscribe.u8(0);
    for (int i = 0; i < 5'000; ++i) w.bad->send(kSubscribe << 4 | 2, subscribe.view());
    for (int i = 0; i < 5'000; ++i) CHECK(w.bad->ping());
    CHECK(w.victim->ping());
    CHECK(w.victim->publish(topic::up(w.other.id), Bytes(3, 3)) == 0);
    REQUIRE(w.gateway.until([&] {
        return std::any_of(w.gateway.heard.packets.begin(), w.gateway.heard.packets.end(),
                           [&](const auto& packet) { return packet.first == w.other.id; });
    }));
    CHECK(w.gateway.heard.packets.size() < 2'000);  // 200 at once and 20 a second, however long this took
}

}  // namespace
}  // namespace nimes::test
