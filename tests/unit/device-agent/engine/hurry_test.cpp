// A person sends while the connection waits for its next try.
#include <catch2/catch.hpp>

#include "engine/link.hpp"
#include "handset.hpp"
#include "lookup_only.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

// Counts what it is asked.
struct Waiting final : agent::transport::PacketSession {
    explicit Waiting(int& t, bool& u) : tries(t), up(u) {}
    Result<void> start() override { return {}; }
    void stop() override {}
    Result<void> publish(Bytes, agent::transport::Expect) override { return fail(Errc::offline); }
    void spread_next_connect(Millis) override {}
    void try_now() override { ++tries; }
    [[nodiscard]] bool connected() const override { return up; }
    int& tries;
    bool& up;
};

}  // namespace

TEST_CASE("who sends does not wait for the next try: at once, then every five seconds, and not when connected") {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna", "bernd"}};
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    REQUIRE(anna.make());
    REQUIRE(anna.open());
    agent::engine::LookupOnly network;
    agent::engine::Sync sync(anna.core(), network);
    int tries = 0;
    bool up = false;
    agent::engine::Link link(anna.core(), network, sync, anna.compose(),
                             [&](const agent::transport::MqttSink&) { return std::make_unique<Waiting>(tries, up); });
    link.hurry();
    link.hurry();
    CHECK(tries == 1);
    clock.up += 4 * kSecond;
    link.hurry();
    CHECK(tries == 1);
    clock.up += kSecond;
    link.hurry();
    CHECK(tries == 2);
    up = true;
    clock.up += kMinute;
    link.hurry();
    CHECK(tries == 2);
}

}  // namespace nimes::test
