// An outbox whose items the gateway cannot take now: who waits for what, and what the person is told.
#include "engine/outbox.hpp"

#include <catch2/catch.hpp>

#include "handset.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::engine::Lock;
using agent::engine::Outbox;
using agent::transport::Expect;

// Takes everything and remembers it.
struct Wire final : agent::transport::PacketSession {
    Result<void> start() override { return {}; }
    void stop() override {}
    Result<void> publish(Bytes up, Expect) override {
        sent.push_back(std::move(up));
        return {};
    }
    void spread_next_connect(Millis) override {}
    [[nodiscard]] bool connected() const override { return true; }
    std::vector<Bytes> sent;
};

// Anna has written to Bernd and to Clara; the grant and the text of each wait.
struct Desk {
    agent::container::TempDir folder;
    Town town{{"anna", "bernd", "clara"}};
    TownClock clock;
    SystemRandom random;
    Handset anna{town, 0, folder.path() / "anna", clock, random};
    Wire wire;
    std::optional<Outbox> outbox;
    MessageId to_bernd, to_clara;

    Desk() {
        std::filesystem::create_directories(anna.home());
        std::filesystem::permissions(anna.home(), std::filesystem::perms::owner_all);
        REQUIRE(anna.make());
        REQUIRE(anna.open());
        REQUIRE(anna.learn());
        to_bernd = say(1, "an Bernd");
        to_clara = say(2, "an Clara");
        outbox.emplace(anna.core(), wire);
        REQUIRE(outbox->load());
        REQUIRE(outbox->flush());
        REQUIRE(wire.sent.size() == 4);
        wire.sent.clear();
    }
    MessageId say(std::size_t to, const std::string& text) {
        const auto id = random.id<MessageId>();
        agent::conversation::Text body;
        body.text = text;
        REQUIRE(anna.say(to, id, body));
        return id;
    }
    void pass_time(Millis by) {
        clock.wall += by;
        clock.up += by;
    }
    // How many packets go within so long, looked at every second.
    std::size_t within(Millis time) {
        wire.sent.clear();
        for (Millis gone = 0; gone < time; gone += kSecond) {
            pass_time(kSecond);
            (void)outbox->tick();
        }
        return wire.sent.size();
    }
    void accept_all_of(std::size_t person) {
        for (const auto& item : anna.waiting())
            if (item.conversation == anna.with(person)) REQUIRE(outbox->accepted(item.id, clock.now()));
    }
};

TEST_CASE("a full mailbox keeps back what goes there, ever longer, and nothing else") {
    Desk desk;
    REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::mailbox_full, {}}, 5 * kSecond));
    const auto more = desk.say(2, "noch etwas an Clara");
    REQUIRE(desk.outbox->load());
    CHECK(desk.outbox->flush());  // at once
    desk.accept_all_of(2);
    REQUIRE(desk.outbox->stuck().size() == 1);
    CHECK(desk.outbox->stuck()[0].items == 2);
    CHECK(desk.outbox->stuck()[0].error.code == Errc::mailbox_full);
    // Nothing for five seconds, then both, in order; refused again: nothing for ten.
    CHECK(desk.within(4 * kSecond) == 0);
    CHECK(desk.within(2 * kSecond) == 2);
    REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::mailbox_full, {}}, 5 * kSecond));
    CHECK(desk.within(9 * kSecond) == 0);
    CHECK(desk.within(2 * kSecond) == 2);
    std::size_t tries = 0;
    for (int hour = 0; hour < 3; ++hour) {
        for (int minute = 0; minute < 60; ++minute) {
            const auto sent = desk.within(kMinute);
            tries += sent > 0 ? 1 : 0;
            if (sent > 0) REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::mailbox_full, {}}, 5 * kSecond));
        }
    }
    CHECK(tries < 20);
    CHECK(tries > 10);
    // It is taken in the end, and nothing is stuck any more.
    desk.accept_all_of(1);
    CHECK(desk.outbox->stuck().empty());
    CHECK(desk.outbox->waiting() == 0);
    (void)more;
}

TEST_CASE(
    "a server that is overloaded is left alone by everything, until it takes something or the connection is new") {
    Desk desk;
    REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::unavailable, {}}, 5 * kSecond));
    CHECK(desk.within(4 * kSecond) == 0);
    CHECK(desk.outbox->stuck()[0].items == 4);
    CHECK(desk.within(2 * kSecond) == 4);
    REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::unavailable, {}}, 5 * kSecond));
    desk.wire.sent.clear();
    desk.outbox->connected();
    CHECK(desk.wire.sent.size() == 4);
}

TEST_CASE("who waits for a message is told what it waits for") {
    Desk desk;
    REQUIRE(desk.outbox->rejected(desk.to_bernd, {Errc::mailbox_full, {}}, 5 * kSecond));
    Lock lock(desk.anna.core().mutex);
    CHECK(desk.outbox->wait(lock, desk.to_bernd, 1).error().code == Errc::mailbox_full);
    CHECK(desk.outbox->wait(lock, desk.to_clara, 1).error().code == Errc::timed_out);
    REQUIRE(desk.outbox->rejected(desk.to_clara, {Errc::not_a_member, {}}, 0));
    CHECK(desk.outbox->wait(lock, desk.to_clara, 1).error().code == Errc::not_a_member);
}

}  // namespace
TEST_CASE("what is sent behind something of its conversation that is not accepted yet names it") {
    Desk d;
    const auto after = [](const Bytes& packet) {
        v1::Up up;
        REQUIRE(up.ParseFromArray(packet.data(), static_cast<int>(packet.size())));
        return up.submit().after();
    };
    d.outbox->connected();
    REQUIRE(d.wire.sent.size() == 4);
    const auto items = d.anna.waiting();  // a grant and a text to Bernd, the same to Clara
    CHECK(after(d.wire.sent[0]).empty());
    CHECK(after(d.wire.sent[1]) == std::string(as_text(items[0].id.view())));
    CHECK(after(d.wire.sent[2]).empty());
    CHECK(after(d.wire.sent[3]) == std::string(as_text(items[2].id.view())));
    // The sealed bytes are what they were.
    v1::Up as_sealed, as_sent;
    REQUIRE(as_sealed.ParseFromArray(items[1].up.data(), static_cast<int>(items[1].up.size())));
    REQUIRE(as_sent.ParseFromArray(d.wire.sent[1].data(), static_cast<int>(d.wire.sent[1].size())));
    CHECK(as_sent.submit().message() == as_sealed.submit().message());

    REQUIRE(d.outbox->accepted(items[0].id, d.clock.now()));
    d.wire.sent.clear();
    d.outbox->connected();
    CHECK(after(d.wire.sent[0]).empty());
}

TEST_CASE("one got lost on the way: what the gateway holds back goes again with it, soon and in order") {
    Desk d;
    const auto items = d.anna.waiting();
    REQUIRE(d.outbox->rejected(items[1].id, {Errc::held, {}}, 5 * kSecond));
    d.clock.set(kSecond);
    REQUIRE(d.outbox->tick());
    REQUIRE(d.wire.sent.size() == 2);
    CHECK(d.wire.sent[0] == items[0].up);
}

TEST_CASE("what was sent behind something that is refused for good goes again at once, without its name") {
    Desk d;
    const auto after = [](const Bytes& packet) {
        v1::Up up;
        REQUIRE(up.ParseFromArray(packet.data(), static_cast<int>(packet.size())));
        return up.submit().after();
    };
    const auto third = d.say(1, "noch etwas");
    REQUIRE(d.outbox->load());
    REQUIRE(d.outbox->flush());
    std::vector<MessageId> to_bernd;
    for (const auto& item : d.anna.waiting())
        if (item.conversation == d.anna.with(1)) to_bernd.push_back(item.id);
    REQUIRE(to_bernd.size() == 3);
    REQUIRE(to_bernd.back() == third);
    d.wire.sent.clear();
    const Error no_turn{Errc::held, {}}, gone{Errc::recipient_unknown, {}};
    // The gateway answers in the order in which they came.
    REQUIRE(d.outbox->rejected(to_bernd[0], gone, 0));
    REQUIRE(d.outbox->rejected(to_bernd[1], no_turn, 5 * kSecond));
    REQUIRE(d.wire.sent.size() == 1);
    CHECK(after(d.wire.sent[0]).empty());
    REQUIRE(d.outbox->rejected(to_bernd[2], no_turn, 5 * kSecond));
    // Refused once more without a name before it, it waits like everything else: no loop.
    REQUIRE(d.outbox->rejected(to_bernd[1], no_turn, 5 * kSecond));
    CHECK(d.wire.sent.size() == 1);
    // The second is refused, too: the third has its turn now.
    d.wire.sent.clear();
    REQUIRE(d.outbox->rejected(to_bernd[1], gone, 0));
    REQUIRE(d.wire.sent.size() == 1);
    CHECK(after(d.wire.sent[0]).empty());
    CHECK(d.outbox->stuck().empty());
}

}  // namespace nimes::test
