// Several brokers: whom a revocation waits for, and which connection of a device is the newest.
#include <catch2/catch.hpp>

#include "app/obedience.hpp"
#include "app/presences.hpp"

using namespace nimes;
using namespace nimes::gateway::app;

TEST_CASE(
    "all brokers that are linked must obey; one that is away is not waited for, and none at all confirms nothing") {
    Obedience all({"edge-1", "edge-2"});
    CHECK_FALSE(all.all_hold());
    all.linked(0);
    CHECK(all.all_hold() == std::uint64_t{0});  // it has not said yet what it holds
    all.holds(0, 7);
    CHECK(all.all_hold() == std::uint64_t{7});
    all.linked(1);
    CHECK(all.all_hold() == std::uint64_t{0});
    all.holds(1, 5);
    all.told(0, 8);
    all.told(1, 9);
    CHECK(all.all_hold() == std::uint64_t{5});
    CHECK(all.all_told() == std::uint64_t{8});
    const auto lines = all.lines();
    CHECK((lines[1].name == "edge-2" && lines[1].linked && lines[1].mirror_revision == 5));
    all.unlinked(1);
    CHECK(all.all_hold() == std::uint64_t{7});
    all.unlinked(0);
    CHECK_FALSE(all.all_hold());
    // What it held before it went says nothing: its snapshot may be older.
    all.linked(1);
    CHECK(all.all_hold() == std::uint64_t{0});
}

TEST_CASE("a connection that its broker ends late does not end the one that came after it elsewhere") {
    Presences presences;
    const auto device = DeviceId::from(Bytes(16, 1));
    const auto at = [&](std::size_t broker, Presence::Kind kind, std::uint64_t connection) {
        return presences.take(broker, {kind, device, connection, 0});
    };
    constexpr auto kIn = Presence::Kind::connected, kOut = Presence::Kind::gone;
    const auto first = at(0, kIn, 500);
    REQUIRE(first);
    CHECK(at(0, kIn, 500) == first);  // told again
    // To the second broker, whose numbers are lower.
    const auto second = at(1, kIn, 3);
    REQUIRE(second);
    CHECK(*second > *first);
    CHECK_FALSE(at(0, kOut, 500));
    CHECK_FALSE(at(1, kIn, 2));  // older than what it said before
    CHECK_FALSE(at(1, kOut, 2));
    CHECK(at(1, kOut, 3) == second);
    CHECK_FALSE(at(1, kOut, 3));
    // A start that was missed: its end counts.
    REQUIRE(at(1, kIn, 4));
    CHECK(at(1, kOut, 6));
    CHECK(at(0, kIn, 501) > second);
}
