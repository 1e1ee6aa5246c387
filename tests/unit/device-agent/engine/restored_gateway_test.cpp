// The gateway lost what it had accepted: its store came back as it was an hour ago. The sender notices, and submits
// again.
#include <catch2/catch.hpp>

#include "handset.hpp"
#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using namespace nimes::test;
using agent::container::Table;
using agent::engine::Remembered;

namespace {

MessageId id(std::uint8_t n) {
    MessageId out;
    out.bytes.fill(n);
    return out;
}

// Anna, who writes to Bernd.
struct Sender {
    Town town{{"anna", "bernd"}};
    TownClock clock;
    SystemRandom random;
    agent::container::TempDir folder;
    std::optional<Handset> anna;

    Sender() {
        anna.emplace(town, 0, folder.path() / "anna", clock, random);
        REQUIRE(anna->make());
        REQUIRE(anna->open());
        REQUIRE(anna->learn());
    }
    void say(std::uint8_t n) {
        REQUIRE(anna->say(1, id(n), agent::conversation::Text{"Nachricht " + std::to_string(n), {}, {}, {}}));
    }
    // All that waits, at the present time; which that is.
    Millis accept_all() {
        for (const auto& item : anna->waiting()) REQUIRE(anna->accepted(item.id));
        return clock.now();
    }
    std::vector<MessageId> waiting() {
        std::vector<MessageId> out;
        for (const auto& item : anna->waiting()) out.push_back(item.id);
        return out;
    }
};

}  // namespace

TEST_CASE("a gateway that knows everything is told nothing twice") {
    Sender s;
    s.say(1);
    s.accept_all();
    REQUIRE(s.anna->welcomed(s.clock.now(), s.clock.now() + kHour));
    CHECK(s.waiting().empty());
}

TEST_CASE("what a restored gateway no longer knows goes again, as it was, before what is new") {
    Sender s;
    s.say(1);
    const auto known = s.accept_all();
    s.clock.set(kMinute);
    s.say(2);
    s.say(3);
    const auto sealed = s.anna->waiting();
    s.accept_all();
    s.clock.set(2 * kMinute);
    s.say(4);
    s.anna->close();
    REQUIRE(s.anna->open());  // it is on disk

    const auto started = s.clock.now();
    REQUIRE(s.anna->welcomed(known, started));
    const auto again = s.anna->waiting();
    REQUIRE(s.waiting() == std::vector{id(2), id(3), id(4)});
    CHECK(again[0].up == sealed[0].up);
    CHECK(again[1].up == sealed[1].up);
    s.accept_all();
    s.anna->close();
    REQUIRE(s.anna->open());
    REQUIRE(s.anna->welcomed(known, started));
    CHECK(s.waiting().empty());
}

TEST_CASE("what was accepted after a restore, before the welcome came, hid what had been lost") {
    Sender s;
    s.say(1);
    const auto known = s.accept_all();
    s.clock.set(kMinute);
    s.say(2);
    s.accept_all();
    s.clock.set(2 * kMinute);
    const auto started = s.clock.now();
    s.say(3);
    s.accept_all();
    REQUIRE(s.anna->welcomed(known, started));
    CHECK(s.waiting() == std::vector{id(2)});
}

TEST_CASE("of a gateway that lost everything, everything of a day is submitted again") {
    Sender s;
    s.say(1);
    s.say(2);
    s.accept_all();
    REQUIRE(s.anna->welcomed(0, s.clock.now() + 1));
    CHECK(s.waiting().size() == 3);  // the grant of their chain, too
}

TEST_CASE("what is refused after a restore is tried again: it may build on what others still have to submit") {
    Sender s;
    s.say(1);
    s.accept_all();
    REQUIRE(s.anna->welcomed(0, s.clock.now() + 1));
    const auto refuse = [&] { REQUIRE(s.anna->rejected(id(1), {Errc::conversation_unknown, {}})); };
    refuse();
    CHECK(s.waiting().size() == 2);
    s.clock.set(30 * kMinute);
    refuse();
    CHECK(s.waiting().size() == 2);
    s.clock.set(90 * kMinute);
    refuse();  // an hour of tries is over
    CHECK(s.waiting().size() == 1);
    const auto rows = s.anna->rows(Table::messages);
    REQUIRE(rows.size() == 1);
    CHECK(agent::engine::StoredMessage::parse(rows[0].value)->state == agent::engine::MessageState::refused);
}

TEST_CASE("what was said in a group that the restored gateway did not know yet was refused for good") {
    Sender s;
    s.say(1);
    s.accept_all();
    s.say(2);  // goes out with the connection, before the welcome tells what was lost
    REQUIRE(s.anna->welcomed(0, s.clock.now() + 1));
    REQUIRE(s.anna->rejected(id(2), {Errc::conversation_unknown, {}}));
    CHECK(s.waiting().back() == id(2));
    // Its epoch was lost to another's, which nothing of that can change.
    s.say(3);
    REQUIRE(s.anna->rejected(id(3), {Errc::epoch_conflict, {}}));
    CHECK(s.waiting().back() == id(2));
    s.clock.set(90 * kMinute);
    REQUIRE(s.anna->rejected(id(2), {Errc::conversation_unknown, {}}));
    CHECK(s.waiting().back() == id(1));
}

TEST_CASE("what was accepted is kept for a day, and not without end") {
    Sender s;
    for (std::uint8_t n = 1; n <= 3; ++n) s.say(n);
    s.accept_all();
    CHECK(s.anna->rows(Table::accepted).size() == 4);
    s.clock.set(3 * kDay);
    REQUIRE(s.anna->core().box->expire(s.clock.now()));
    CHECK(s.anna->rows(Table::accepted).empty());
}
