#include "transport/keepalive.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace nimes::agent::transport {
namespace {

using Path = Keepalive::Path;

// A path that forgets a connection after `patience` of silence, from connect to connect for as long as `rounds` pings:
// what was remembered in the end, and how often the connection died.
struct Journey {
    Path path;
    int deaths = 0;
    int connects = 0;
    Millis longest_survived = 0;
};
Journey travel(Millis patience, Millis cap, int rounds, Path remembered = {}) {
    Journey out;
    out.path = remembered;
    Keepalive keepalive;
    keepalive.begin(out.path, cap);
    for (int i = 0; i < rounds; ++i) {
        const auto silence = keepalive.silence();
        const bool lives = silence < patience;
        if (lives) {
            keepalive.survived(silence);
            out.longest_survived = std::max(out.longest_survived, silence);
        } else {
            keepalive.died(silence);
        }
        out.path = keepalive.path();
        if (lives && i % 5 != 4) continue;
        out.deaths += lives ? 0 : 1;
        ++out.connects;
        keepalive.begin(out.path, cap);
    }
    return out;
}

TEST_CASE("it grows from connect to connect up to fifteen minutes where the path allows it") {
    Keepalive keepalive;
    keepalive.begin({}, 0);
    CHECK(keepalive.said() == 480 * kSecond);
    CHECK(keepalive.silence() == 240 * kSecond);
    std::vector<Millis> said;
    auto path = keepalive.path();
    for (int connect = 0; connect < 4; ++connect) {
        keepalive.begin(path, 0);
        said.push_back(keepalive.said());
        for (int i = 0; i < 5; ++i) keepalive.survived(keepalive.silence());
        path = keepalive.path();
    }
    CHECK(std::ranges::is_sorted(said));
    CHECK(said.back() == 900 * kSecond);
    CHECK(keepalive.silence() == 885 * kSecond);  // ours comes before the broker's patience counts
}

TEST_CASE("a silent death halves it, and the limit that was found is kept away from") {
    Keepalive keepalive;
    keepalive.begin({600 * kSecond, 0, 0}, 0);
    keepalive.died(600 * kSecond);
    CHECK(keepalive.silence() == 300 * kSecond);
    for (int i = 0; i < 10; ++i) keepalive.survived(keepalive.silence());
    CHECK(keepalive.silence() == 450 * kSecond);  // three quarters of what killed it
}

TEST_CASE("it never leaves its bounds, whatever the path does") {
    for (const Millis patience : {Millis{1}, 70 * kSecond, 130 * kSecond, 271 * kSecond, 700 * kSecond, kHour})
        for (const Millis cap : {Millis{0}, 60 * kSecond, 100 * kSecond, 600 * kSecond}) {
            const auto out = travel(patience, cap, 500);
            const auto most = cap == 0 ? 900 * kSecond : cap;
            CHECK(out.path.silence >= 45 * kSecond);
            CHECK(out.path.silence < most);
            if (patience > 2 * most) CHECK(out.deaths == 0);
        }
}

TEST_CASE("a path of a patience between is found within a few deaths, and tried again only much later") {
    for (const Millis patience : {100 * kSecond, 130 * kSecond, 271 * kSecond, 310 * kSecond, 500 * kSecond}) {
        const auto out = travel(patience, 0, 60);
        INFO(patience);
        CHECK(out.deaths <= 5);
        CHECK(out.longest_survived * 2 >= patience);
        // And what was remembered serves the next time from the first ping on.
        CHECK(travel(patience, 0, 5, out.path).deaths <= 1);
    }
}

TEST_CASE("a limit that was a tunnel and no limit is forgotten in the end") {
    Path fell{300 * kSecond, 600 * kSecond, 0};
    const auto out = travel(kHour, 0, 400, fell);
    CHECK(out.deaths == 0);
    CHECK(out.path.silence == 885 * kSecond);
}

TEST_CASE("a short silence proves nothing either way") {
    Keepalive keepalive;
    keepalive.begin({}, 0);
    const auto before = keepalive.path();
    keepalive.survived(3 * kSecond);
    keepalive.died(59 * kSecond);
    CHECK(keepalive.path() == before);
}

TEST_CASE("the broker's word caps it") {
    Keepalive keepalive;
    keepalive.begin({600 * kSecond, 0, 0}, 0);
    keepalive.overruled(300 * kSecond);
    CHECK(keepalive.silence() == 285 * kSecond);
    keepalive.begin(keepalive.path(), 120 * kSecond);
    CHECK(keepalive.said() == 120 * kSecond);
    CHECK(keepalive.silence() == 105 * kSecond);
    keepalive.overruled(4 * kSecond);
    CHECK(keepalive.silence() == 3 * kSecond);
}

}  // namespace
}  // namespace nimes::agent::transport
