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
    CHECK_FALSE(unheard.moves(kHour));  // until it is silent again, elsewhere
    unheard.connected();
    CHECK(unheard.silent(0));
    CHECK_FALSE(unheard.moves(kMinute - 1));
    CHECK(unheard.moves(kMinute));
    for (int i = 0; i < 10; ++i) {
        CHECK(unheard.silent(0));
        CHECK(unheard.moves(Unheard::kMost));
    }
    CHECK(unheard.silent(0));
    unheard.heard();
    CHECK_FALSE(unheard.now());
    CHECK(unheard.silent(0));
    CHECK(unheard.moves(30 * kSecond));
}
