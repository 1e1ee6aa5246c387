#include "engine/put_back.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "handset.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

struct Copied {
    int value = 0;
    int* copies = nullptr;
    Copied(int v, int* counter) : value(v), copies(counter) {}
    Copied(const Copied& other) : value(other.value), copies(other.copies) { ++*copies; }
    Copied(Copied&&) = default;
    Copied& operator=(Copied&&) = default;
    Copied& operator=(const Copied&) = delete;
    ~Copied() = default;
};

}  // namespace

TEST_CASE("what a transaction changes often is copied once, and goes back to what it was before the first change") {
    const agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna"}};
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    REQUIRE(anna.make());
    REQUIRE(anna.open());
    int copies = 0;
    std::map<int, Copied> map;
    map.try_emplace(1, 10, &copies);
    map.try_emplace(2, 20, &copies);
    Copied single(30, &copies);
    {
        auto tx = anna.core().box->begin();
        REQUIRE(tx);
        auto moved = std::move(*tx);
        for (int i = 0; i < 9; ++i) {
            for (const int key : {1, 2, 3}) agent::engine::put_back_if_lost(moved, map, key);
            map.insert_or_assign(1, Copied(i, &copies));
            map.erase(2);
            map.insert_or_assign(3, Copied(i, &copies));
            agent::engine::put_back_if_lost(moved, single);
            single.value = i;
        }
        // One for each of 1, 2 and the single one; a second of 3, which was not there at first.
        CHECK(copies == 4);
    }
    CHECK(map.at(1).value == 10);
    CHECK(map.at(2).value == 20);
    CHECK_FALSE(map.contains(3));
    CHECK(single.value == 30);
}

}  // namespace nimes::test
