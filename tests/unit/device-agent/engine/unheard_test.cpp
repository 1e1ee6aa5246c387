#include "engine/unheard.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::engine;

TEST_CASE("who is not heard moves to another broker in half a minute, and less often where that helps nothing") {
    Unheard unheard;
    CHECK_FALSE(unheard.moves(kHour));
    CHECK(unheard.silent(0));
    CHECK_FALSE(unheard.silent(kSecond));
    CHECK(unheard.now());
    CHECK_FALSE(unheard.moves(30 * kSecond - 1));
    CHECK(unheard.moves(30 * kSecond));
    CHECK(unheard.now());  // there may be no other broker
    CHECK_FALSE(unheard.moves(90 * kSecond - 1));
    CHECK(unheard.moves(90 * kSecond));
    unheard.connected();
    CHECK_FALSE(unheard.now());
    CHECK_FALSE(unheard.moves(kHour));
    CHECK(unheard.silent(0));
    CHECK_FALSE(unheard.moves(2 * kMinute - 1));
    CHECK(unheard.moves(2 * kMinute));
    for (int i = 0; i < 10; ++i) {
        unheard.connected();
        CHECK(unheard.silent(0));
        CHECK(unheard.moves(Unheard::kMost));
    }
    unheard.heard();
    CHECK_FALSE(unheard.now());
    CHECK(unheard.silent(0));
    CHECK(unheard.moves(30 * kSecond));
}
