// Several brokers: whom a revocation waits for, and where a device is.
#include <catch2/catch.hpp>

#include "app/obedience.hpp"
#include "app/presences.hpp"

using namespace nimes;
using namespace nimes::gateway::app;

namespace {

struct HandClock final : Clock {
    Millis time = kHour;
    Millis now() const override { return time; }
    Millis boot() const override { return time; }
};

constexpr auto kIn = Presence::Kind::connected, kOut = Presence::Kind::gone;

struct Places {
    Presences presences;
    DeviceId device = DeviceId::from(Bytes(16, 1));
    std::optional<std::uint64_t> at(std::size_t broker, Presence::Kind kind, std::uint64_t connection) {
        return presences.take(broker, {kind, device, connection, 0});
    }
};

}  // namespace

TEST_CASE("all brokers that are linked must obey; one that has been away for a minute is not waited for") {
    HandClock clock;
    Obedience all({"edge-1", "edge-2"}, clock);
    CHECK_FALSE(all.all_hold());
    all.linked(0);
    all.holds(0, 7);
    CHECK(all.all_hold() == std::uint64_t{0});  // the second has had no time to come up
    all.linked(1);
    CHECK(all.all_hold() == std::uint64_t{0});  // it has not said yet what it holds
    all.holds(1, 5);
    all.told(0, 8);
    all.told(1, 9);
    CHECK(all.all_hold() == std::uint64_t{5});
    CHECK(all.all_told() == std::uint64_t{8});
    const auto lines = all.lines();
    CHECK((lines[1].name == "edge-2" && lines[1].linked && lines[1].awaited && lines[1].mirror_revision == 5));
    clock.time += kHour;
    all.unlinked(1);
    CHECK(all.all_hold() == std::uint64_t{0});
    CHECK(all.lines()[1].awaited);
    clock.time += Obedience::kGrace - 1;
    CHECK(all.all_hold() == std::uint64_t{0});
    clock.time += 1;
    CHECK(all.all_hold() == std::uint64_t{7});
    CHECK_FALSE(all.lines()[1].awaited);
}

TEST_CASE("none at all confirms nothing, however long it takes, and all are waited for") {
    HandClock clock;
    Obedience all({"edge-1", "edge-2"}, clock);
    all.linked(0);
    all.holds(0, 7);
    all.unlinked(0);
    clock.time += kDay;
    CHECK_FALSE(all.all_hold());
    CHECK_FALSE(all.all_told());
    CHECK(all.lines()[0].awaited);
    CHECK(all.lines()[1].awaited);
}

TEST_CASE("what a broker held before its link fell says nothing: its snapshot may be older") {
    HandClock clock;
    Obedience all({"edge-1"}, clock);
    all.linked(0);
    all.holds(0, 7);
    CHECK(all.all_told() == std::uint64_t{7});  // what it holds it was told
    all.unlinked(0);
    all.linked(0);
    CHECK(all.all_hold() == std::uint64_t{0});
    CHECK(all.all_told() == std::uint64_t{0});
}

TEST_CASE("a connection that its broker ends late does not end the one that came after it elsewhere") {
    Places p;
    const auto first = p.at(0, kIn, 500);
    REQUIRE(first);
    const auto again = p.at(0, kIn, 500);
    CHECK(*again > *first);
    // To the second broker, whose numbers are lower.
    const auto second = p.at(1, kIn, 3);
    REQUIRE(second);
    CHECK(*second > *again);
    CHECK_FALSE(p.at(0, kOut, 500));
    CHECK_FALSE(p.at(1, kIn, 2));  // older than what it said before
    CHECK_FALSE(p.at(1, kOut, 2));
    CHECK(p.at(1, kOut, 3) > second);
    CHECK_FALSE(p.at(1, kOut, 3));
    // A start that was missed: its end counts.
    REQUIRE(p.at(1, kIn, 4));
    CHECK(p.at(1, kOut, 6));
}

TEST_CASE("a broker that was out of reach tells of dead connections: the live one elsewhere stays") {
    Places p;
    REQUIRE(p.at(0, kIn, 500));
    REQUIRE(p.at(1, kIn, 3));
    p.presences.linked(0);
    REQUIRE(p.at(0, kIn, 500));  // half open since then
    CHECK_FALSE(p.at(0, kOut, 500));
    CHECK(p.at(1, kOut, 3));
    // A broker that started anew, with a clock that was set back.
    REQUIRE(p.at(0, kIn, 900));
    p.presences.linked(0);
    CHECK(p.at(0, kIn, 10));
    CHECK(p.at(0, kOut, 10));
}
