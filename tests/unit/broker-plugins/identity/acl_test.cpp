#include "identity/acl.hpp"

#include <catch2/catch.hpp>

#include "edge.hpp"

using namespace nimes;
using namespace nimes::plugin;
using namespace nimes::test;

TEST_CASE("a device has two topics, and nothing else exists for it", "[acl]") {
    const Device anna(11), bert(12);
    const Who who{false, anna.id};
    const auto may = [&](Act act, std::string_view topic) {
        return allowed(who, {act, topic, 100, false, 1}, "edge-1");
    };
    const auto up = topic::up(anna.id), down = topic::down(anna.id);
    CHECK(may(Act::write, up));
    CHECK(may(Act::subscribe, down));
    CHECK(may(Act::read, down));
    CHECK(may(Act::unsubscribe, down));
    for (const auto act : {Act::read, Act::subscribe, Act::unsubscribe, Act::write})
        for (const std::string& topic :
             {topic::up(bert.id), topic::down(bert.id), std::string("#"), std::string("+"), std::string("n/+/down"),
              std::string("n/#"), "$share/g/" + down, std::string("$share/gateway/n/+/up"),
              std::string("$SYS/broker/uptime"), std::string("$SYS/#"), std::string(topic::kControl),
              std::string(topic::kControlDown), topic::up_batch("edge-1"), std::string(topic::kBatchSubscription),
              std::string("nimes/edge/edge-1/presence"), down + "/", "/" + down, std::string()})
            CHECK_FALSE(may(act, topic));
    CHECK_FALSE(may(Act::write, down));
    CHECK_FALSE(may(Act::read, up));
    CHECK_FALSE(allowed(who, {Act::write, up, 100, true, 1}, "edge-1"));
    CHECK_FALSE(allowed(who, {Act::write, up, 100, false, 2}, "edge-1"));
    CHECK(allowed(who, {Act::write, up, topic::kMaxPacket, false, 1}, "edge-1"));
    CHECK_FALSE(allowed(who, {Act::write, up, topic::kMaxPacket + 1, false, 1}, "edge-1"));
}

TEST_CASE("the gateway reads what devices send and writes what they read", "[acl]") {
    const Device anna(11);
    const Who who{true, {}};
    const auto may = [&](Act act, std::string_view topic) {
        return allowed(who, {act, topic, 100, false, 1}, "edge-1");
    };
    CHECK(may(Act::write, topic::kControlDown));
    CHECK(may(Act::write, topic::kControl));
    CHECK(may(Act::subscribe, topic::kBatchSubscription));
    CHECK(may(Act::read, topic::up_batch("edge-1")));
    CHECK_FALSE(may(Act::read, topic::up_batch("edge-2")));
    CHECK_FALSE(may(Act::write, topic::up_batch("edge-1")));
    CHECK_FALSE(may(Act::write, topic::down(anna.id)));
    CHECK(may(Act::subscribe, topic::kGatewaySubscription));
    CHECK(may(Act::subscribe, topic::kEdgeSubscription));
    CHECK(may(Act::read, topic::up(anna.id)));
    CHECK(may(Act::read, "nimes/edge/edge-1/state"));
    CHECK_FALSE(may(Act::read, "nimes/edge/edge-2/state"));
    CHECK_FALSE(may(Act::write, topic::up(anna.id)));
    CHECK_FALSE(may(Act::write, "n/+/down"));
    CHECK_FALSE(may(Act::write, "$CONTROL/dynamic-security/v1"));
    CHECK_FALSE(may(Act::subscribe, "#"));
}
