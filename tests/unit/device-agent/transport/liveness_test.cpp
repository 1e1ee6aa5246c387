#include "transport/liveness.hpp"

#include <catch2/catch.hpp>

namespace nimes::agent::transport {
namespace {

constexpr Millis kStart = kDay;

// A connection on a network not known yet: asked after 240 s of silence.
struct Line {
    Millis now = kStart;
    Liveness liveness{{{}, 20 * kSecond, 15 * kSecond}};
    Line() {
        CHECK(liveness.begin({}, 0) == 480 * kSecond);
        liveness.connected(now, 0);
    }
    bool asks_after(Millis time) {
        now += time;
        if (!liveness.should_ask(now, false)) return false;
        liveness.asked(now);
        return true;
    }
};

TEST_CASE("after a silence it asks once, and a receipt proves the silence") {
    Line line;
    CHECK(line.liveness.look_at() == kStart + 240 * kSecond);
    CHECK(!line.asks_after(240 * kSecond - 1));
    CHECK(line.asks_after(1));
    CHECK(!line.liveness.should_ask(line.now, false));
    CHECK(line.liveness.look_at() == line.now + 15 * kSecond);
    line.now += 600;
    CHECK(!line.liveness.dead(line.now));
    line.liveness.heard(line.now);
    CHECK(line.liveness.path().silence == 360 * kSecond);
    CHECK(line.liveness.look_at() == line.now + 360 * kSecond);
}

TEST_CASE("without a receipt it is dead, and the silence before is what killed it") {
    Line line;
    REQUIRE(line.asks_after(240 * kSecond));
    CHECK(!line.liveness.dead(line.now + 15 * kSecond - 1));
    CHECK(line.liveness.dead(line.now + 15 * kSecond));
    line.liveness.fell();
    CHECK(line.liveness.path().fell == 240 * kSecond);
    CHECK(line.liveness.path().silence == 120 * kSecond);
}

TEST_CASE("what passes puts the question off, in either direction") {
    Line line;
    line.now += 200 * kSecond;
    line.liveness.sent(line.now);
    CHECK(!line.asks_after(200 * kSecond));
    line.liveness.heard(line.now);
    CHECK(!line.asks_after(200 * kSecond));
    CHECK(line.asks_after(40 * kSecond));
}

TEST_CASE("an overdue answer is reason to ask the broker, and its receipt ends the matter") {
    Line line;
    line.now += 3 * kSecond;
    line.liveness.wants_answer(line.now);
    line.liveness.sent(line.now);
    CHECK(!line.asks_after(20 * kSecond - 1));
    CHECK(line.asks_after(1));
    CHECK(line.liveness.answer_missing());
    line.now += 14 * kSecond;
    CHECK(!line.liveness.dead(line.now));
    line.liveness.heard(line.now);
    CHECK(!line.liveness.dead(line.now + kHour));
    CHECK(line.liveness.path().silence == 240 * kSecond);  // three seconds of silence prove nothing
}

TEST_CASE("an overdue answer is asked about even while more is being sent, which does not make it alive") {
    Line line;
    line.liveness.wants_answer(line.now);
    for (int second = 0; second < 34; ++second) {
        line.now += kSecond;
        line.liveness.wants_answer(line.now);
        line.liveness.sent(line.now);
        CHECK(!line.liveness.dead(line.now));
    }
    CHECK(line.liveness.should_ask(line.now, true));
    CHECK(line.liveness.dead(line.now + kSecond));
}

TEST_CASE("a message into a path that fell long ago is what finds it out") {
    Line line;
    line.now += 239 * kSecond;
    line.liveness.wants_answer(line.now);
    line.liveness.sent(line.now);
    CHECK(line.asks_after(20 * kSecond));
    line.now += 15 * kSecond;
    REQUIRE(line.liveness.dead(line.now));
    line.liveness.fell();
    CHECK(line.liveness.path().fell == 239 * kSecond);
}

TEST_CASE("a connection that ends while nothing was waited for says nothing of the path") {
    Line line;
    line.now += 200 * kSecond;
    line.liveness.fell();
    CHECK(line.liveness.path().fell == 0);
    CHECK(line.liveness.begin(line.liveness.path(), 0) == 480 * kSecond);
}

TEST_CASE("what was waited for ends with its connection") {
    Line line;
    REQUIRE(line.asks_after(240 * kSecond));
    (void)line.liveness.begin({}, 0);
    line.liveness.connected(line.now, 0);
    CHECK(!line.liveness.dead(line.now + 200 * kSecond));
    CHECK(!line.liveness.asking());
}

}  // namespace
}  // namespace nimes::agent::transport
