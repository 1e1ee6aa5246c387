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

TEST_CASE("a handset whose clock is an hour behind is opened as well") {
    Pair pair;
    pair.annas.wall -= kHour;
    pair.anna.core().learn_time(pair.bernds.now());
    pair.say_and_open(1);
    CHECK(pair.opened() == 1);
    CHECK(pair.bernd.core().failures.refused == 0);
}

}  // namespace nimes::test
