// A handset whose clock is wrong by an hour, and which the gateway told so: what it says must be taken by others.
#include <catch2/catch.hpp>

#include "handset.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::conversation::Text;

struct Pair {
    agent::container::TempDir dir;
    TownClock annas, bernds;
    SystemRandom random;
    Town town{{"anna", "bernd"}};
    Handset anna{town, 0, dir.path() / "anna", annas, random};
    Handset bernd{town, 1, dir.path() / "bernd", bernds, random};
    Post post{town, dir.path() / "post"};

    Pair() {
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
        // Both have been here for a while, and an hour more is the same day: this town knows no keys of the next one.
        annas.wall += 2 * kHour;
        bernds.wall += 2 * kHour;
    }
    void say_and_open(std::uint8_t number) {
        MessageId id;
        id.bytes.fill(number);
        REQUIRE(anna.say(1, id, Text{"verspätet, verfrüht"}));
        for (const auto& item : anna.waiting()) {
            REQUIRE(post.submit(0, item.up, bernds.now()));
            REQUIRE(anna.accepted(item.id));
        }
        for (const auto& envelope : post.mailbox(1)) REQUIRE(bernd.take(envelope));
        post.acknowledge(1, post.everything(1).size());
    }
    std::size_t opened() {
        std::size_t out = 0;
        const auto shown = agent::engine::messages_after(bernd.core(), 0, 100);
        for (const auto& m : shown.value()) out += m.message.state == agent::engine::MessageState::opened ? 1 : 0;
        return out;
    }
};

}  // namespace

TEST_CASE("a handset whose clock is an hour ahead: its grants are taken, once the gateway told it the time") {
    Pair pair;
    pair.annas.wall += kHour;
    pair.anna.core().learn_time(pair.bernds.now());
    pair.say_and_open(1);
    CHECK(pair.opened() == 1);
    CHECK(pair.bernd.core().failures.refused == 0);
    // The person sets the clock right: its numbers of chains go on.
    pair.annas.wall -= kHour;
    pair.anna.core().learn_time(pair.bernds.now());
    pair.say_and_open(2);
    CHECK(pair.opened() == 2);
}

TEST_CASE("a clock that is set while the agent runs does not show in what it says") {
    Pair pair;
    auto& core = pair.anna.core();
    core.learn_time(pair.bernds.now());
    const auto said = core.stamp();
    for (const bool ahead : {true, false}) {
        pair.annas.wall = ahead ? pair.annas.wall + kHour : pair.annas.wall - 2 * kHour;
        CHECK(core.clock_doubted());
        CHECK(core.stamp() == said);
        CHECK(core.token_time() == said);
        CHECK(core.now() == std::max(pair.annas.wall, core.directory->head().ts));  // admitting goes by its own clock
    }
    pair.annas.wall += kHour;
    CHECK_FALSE(core.clock_doubted());
    CHECK(core.stamp() == said);
}

TEST_CASE("a time that cannot be is not learned") {
    Pair pair;
    auto& core = pair.anna.core();
    core.learn_time(UINT64_MAX);
    CHECK_FALSE(core.clock_offset());
    core.learn_time(pair.bernds.now());
    core.learn_time(UINT64_MAX / 2);
    CHECK(core.clock_offset() == 0);
}

TEST_CASE("what was noted with a clock ahead is not waited for longer") {
    Pair pair;
    auto& core = pair.anna.core();
    core.learn_time(pair.bernds.now());
    CHECK_FALSE(core.has_passed(core.stamp(), kMinute));
    CHECK(core.has_passed(core.stamp() - kMinute, kMinute));
    CHECK(core.has_passed(core.stamp() + kHour, kMinute));
}

TEST_CASE("a grant that comes while the reader's clock is an hour behind waits until the clock is right") {
    Pair pair;
    const auto truth = pair.bernds.now();
    pair.bernd.core().learn_time(truth);
    pair.bernds.wall -= kHour;
    MessageId id;
    id.bytes.fill(1);
    REQUIRE(pair.anna.say(1, id, Text{"kommt an"}));
    for (const auto& item : pair.anna.waiting()) {
        REQUIRE(pair.post.submit(0, item.up, truth));
        REQUIRE(pair.anna.accepted(item.id));
    }
    for (const auto& envelope : pair.post.mailbox(1)) REQUIRE(pair.bernd.take(envelope));
    CHECK(pair.opened() == 0);
    CHECK(pair.bernd.core().failures.refused == 0);
    pair.bernds.wall += kHour;
    REQUIRE(pair.bernd.retry());
    CHECK(pair.opened() == 1);
}

TEST_CASE("a handset whose clock is an hour behind is opened as well") {
    Pair pair;
    pair.annas.wall -= kHour;
    pair.anna.core().learn_time(pair.bernds.now());
    pair.say_and_open(1);
    CHECK(pair.opened() == 1);
    CHECK(pair.bernd.core().failures.refused == 0);
}

}  // namespace nimes::test
