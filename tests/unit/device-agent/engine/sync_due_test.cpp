#include "engine/sync_due.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::engine;

namespace {
constexpr Millis kNow = 5 * kHour;
}

TEST_CASE("the directory is asked when the mailbox is empty, or has not become so for two minutes") {
    SyncDue sync;
    sync.connected(kNow);
    CHECK_FALSE(sync.was_asked());
    CHECK(sync.due(kNow, true, false));
    CHECK_FALSE(sync.due(kNow + SyncDue::kPatience - 1, false, false));
    CHECK(sync.due(kNow + SyncDue::kPatience, false, false));
    sync.asked(kNow + 1, true);
    CHECK(sync.was_asked());
    CHECK_FALSE(sync.due(kNow + SyncDue::kEvery, true, false));
    CHECK(sync.due(kNow + 1 + SyncDue::kEvery, true, false));
}

TEST_CASE("what concerns this device does not wait for the mailbox") {
    SyncDue sync;
    sync.connected(kNow);
    CHECK(sync.due(kNow, false, true));
    sync.asked(kNow, true);
    CHECK_FALSE(sync.due(kNow + 1, false, true));
    sync.wanted(kNow + 1);
    CHECK(sync.due(kNow + 1, false, true));
    CHECK_FALSE(sync.due(kNow + 1, false, false));
}

TEST_CASE("who gave no answer is asked again in a minute") {
    SyncDue sync;
    sync.connected(kNow);
    sync.asked(kNow, false);
    CHECK(sync.was_asked());
    CHECK_FALSE(sync.due(kNow + SyncDue::kAgain - 1, true, false));
    CHECK(sync.due(kNow + SyncDue::kAgain, true, false));
}

TEST_CASE("a connection that falls again and again puts it off by two minutes in all") {
    SyncDue sync;
    for (Millis at = kNow; at < kNow + SyncDue::kPatience; at += kMinute / 2) {
        sync.connected(at);
        CHECK_FALSE(sync.due(at, false, false));
    }
    sync.connected(kNow + SyncDue::kPatience);
    CHECK(sync.due(kNow + SyncDue::kPatience, false, false));
}

TEST_CASE("each connect asks, however short ago the last answer came") {
    SyncDue sync;
    sync.connected(kNow);
    sync.asked(kNow + 1, true);
    sync.connected(kNow + 2);
    CHECK_FALSE(sync.was_asked());
    CHECK(sync.due(kNow + 2, true, false));
}
