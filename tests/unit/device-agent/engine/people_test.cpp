// Whom a name means is asked once, until the directory moves.
#include "engine/people.hpp"

#include <catch2/catch.hpp>

#include "handset.hpp"
#include "lookup_only.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::engine::Lock;

struct Directory final : agent::engine::LookupOnly {
    const Town& town;
    int names = 0;
    explicit Directory(const Town& t) : town(t) {
        says = [](const auto&) -> Result<v1::LookupAnswer> { return fail(Errc::offline); };
    }
    Result<v1::People> people(const std::string&, const std::string&) override {
        ++names;
        v1::Person bernd;
        bernd.set_user(raw(town.people[1].user.view()));
        bernd.set_name("Meyer, Bernd");
        bernd.set_unit("Celle");
        v1::People out;
        const auto bytes = bernd.SerializeAsString();
        out.add_persons(raw(sign_person(town.directory.org.ea.secret, town.directory.org.keys.org, as_bytes(bytes))));
        return out;
    }
};

}  // namespace

TEST_CASE("ten texts to a name ask the directory once, and again when it has moved or time has passed") {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna", "bernd"}};
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    REQUIRE(anna.make());
    REQUIRE(anna.open());
    REQUIRE(anna.learn());
    Directory network(town);
    agent::engine::Sync sync(anna.core(), network);
    agent::engine::People people(anna.core(), network, sync);
    const auto find = [&] {
        Lock lock(anna.core().mutex);
        std::vector<agent::directory::PersonInfo> candidates;
        const auto user = people.one(lock, "Meyer", candidates);
        REQUIRE(user);
        CHECK(*user == town.people[1].user);
    };
    for (int i = 0; i < 10; ++i) find();
    CHECK(network.names == 1);
    anna.core().mark_changed({town.people[0].user}, false);
    for (int i = 0; i < 10; ++i) find();
    CHECK(network.names == 2);
    clock.up += kHour;
    find();
    CHECK(network.names == 3);
}

}  // namespace nimes::test
