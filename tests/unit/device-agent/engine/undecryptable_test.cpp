// What cannot be opened is counted under its reason, shows nothing, and takes nothing with it.
#include <catch2/catch.hpp>

#include "handset.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::container::Table;
using agent::conversation::Text;

struct Pair {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna", "bernd"}};
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    Handset bernd{town, 1, dir.path() / "bernd", clock, random};
    Post post{town, dir.path() / "post"};
    std::uint8_t said = 0;

    Pair() {
        REQUIRE(crypto_init());
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
    }
    // Anna writes; what then lies there for Bernd.
    std::vector<v1::Envelope> letter() {
        MessageId id;
        id.bytes.fill(++said);
        REQUIRE(anna.say(1, id, Text{"Zugriff um vier"}));
        for (const auto& item : anna.waiting()) {
            REQUIRE(post.submit(0, item.up, clock.now()));
            REQUIRE(anna.accepted(item.id));
        }
        auto out = post.mailbox(1);
        post.acknowledge(1, post.everything(1).size());
        return out;
    }
    std::size_t shown() { return bernd.rows(Table::messages).size(); }
};

}  // namespace

TEST_CASE("a damaged message is counted as damaged and shows nothing; its true copy still opens") {
    Pair p;
    for (const auto& envelope : p.letter()) REQUIRE(p.bernd.take(envelope));
    REQUIRE(p.shown() == 1);
    auto box = p.letter();
    REQUIRE(box.size() == 1);
    auto damaged = box[0];
    damaged.mutable_message()->back() ^= 1;
    REQUIRE(p.bernd.take(damaged));
    CHECK(p.shown() == 1);
    const auto& failures = p.bernd.core().failures;
    CHECK(failures.damaged == 1);
    CHECK(failures.unreadable + failures.refused + failures.lost == 0);
    box[0].set_sequence(damaged.sequence() + 1);  // it is sent again; a place in a lane is taken once
    REQUIRE(p.bernd.take(box[0]));
    CHECK(p.shown() == 2);
    CHECK(failures.damaged == 1);
}

TEST_CASE("what only waits for its key is no failure: it is held, and shown once the key is there") {
    Pair p;
    auto box = p.letter();  // the grant, then the message
    REQUIRE(box.size() == 2);
    box[1].set_sequence(1);
    box[0].set_sequence(2);
    REQUIRE(p.bernd.take(box[1]));
    CHECK(p.shown() == 0);
    CHECK(p.bernd.rows(Table::held).size() == 1);
    REQUIRE(p.bernd.take(box[0]));
    REQUIRE(p.bernd.inbox().retry_held());
    CHECK(p.shown() == 1);
    CHECK(p.bernd.rows(Table::held).empty());
    const auto& failures = p.bernd.core().failures;
    CHECK(failures.damaged + failures.unreadable + failures.refused + failures.lost == 0);
}

}  // namespace nimes::test
