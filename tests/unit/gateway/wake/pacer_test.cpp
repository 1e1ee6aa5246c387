#include "wake/pacer.hpp"

#include <catch2/catch.hpp>

#include "nimes/crypto.hpp"

namespace nimes::gateway::wake {
namespace {

DeviceId device(std::uint8_t n) {
    DeviceId out;
    out.bytes[0] = n;
    return out;
}

struct Desk {
    Pacer pacer{{kMinute, kHour, 3, 5}};
    Millis now = kHour;
    // Rings what is due and says how much that was.
    int ring(bool ok = true) {
        int n = 0;
        for (; const auto due = pacer.next(now); ++n) pacer.rang(*due, ok, now);
        return n;
    }
};

TEST_CASE("at once the first time, and many growths are one wake-up") {
    Desk desk;
    CHECK(!desk.pacer.next_at());
    for (int i = 0; i < 10; ++i) desk.pacer.waits(device(1), desk.now);
    CHECK(desk.pacer.next_at().value() <= desk.now);
    CHECK(desk.ring() == 1);
    CHECK(!desk.pacer.next_at());
}

TEST_CASE("while it does not come it is woken ever more seldom, up to an hour") {
    Desk desk;
    std::vector<Millis> gaps;
    Millis last = desk.now;
    for (int i = 0; i < 10; ++i) {
        while (desk.ring() == 0) {
            desk.pacer.waits(device(1), desk.now);
            if (desk.pacer.next_at().value() > desk.now) desk.now = *desk.pacer.next_at();
        }
        gaps.push_back(desk.now - last);
        last = desk.now;
    }
    CHECK(gaps[1] == kMinute);
    CHECK(gaps[2] == 2 * kMinute);
    CHECK(gaps[3] == 4 * kMinute);
    CHECK(gaps.back() == kHour);
}

TEST_CASE("who came is woken early again, but never more than once a minute") {
    Desk desk;
    for (int i = 0; i < 6; ++i) {
        desk.pacer.waits(device(1), desk.now);
        desk.now = desk.pacer.next_at().value();
        CHECK(desk.ring() == 1);
    }
    desk.pacer.waits(device(1), desk.now);
    desk.pacer.came(device(1), desk.now);
    CHECK(!desk.pacer.next_at());  // it is here: nothing to wake
    desk.pacer.waits(device(1), desk.now + 1);
    CHECK(desk.pacer.next_at() == desk.now + kMinute);
    // Coming and going at will rings no faster.
    int rings = 0;
    for (Millis second = 0; second < 10 * kMinute; second += kSecond) {
        desk.now += kSecond;
        desk.pacer.came(device(1), desk.now);
        desk.pacer.waits(device(1), desk.now);
        rings += desk.ring();
    }
    CHECK(rings <= 10);
    CHECK(rings >= 8);
}

TEST_CASE("a failure is tried again, and not for ever") {
    Desk desk;
    desk.pacer.waits(device(1), desk.now);
    int tries = 0;
    for (;;) {
        tries += desk.ring(false);
        if (!desk.pacer.next_at()) break;
        desk.now = *desk.pacer.next_at();
    }
    CHECK(tries == 5);
    desk.now += kHour;
    desk.pacer.waits(device(1), desk.now);
    CHECK(desk.ring() == 1);
}

TEST_CASE("something that grows while it is being woken is a wake-up of its own, later") {
    Desk desk;
    desk.pacer.waits(device(1), desk.now);
    CHECK(desk.pacer.next(desk.now) == device(1));
    desk.pacer.waits(device(1), desk.now);
    CHECK(!desk.pacer.next(desk.now));
    desk.pacer.rang(device(1), true, desk.now);
    CHECK(desk.pacer.next_at() == desk.now + kMinute);
}

TEST_CASE("it holds so many devices and no more, and forgets those that are done") {
    Desk desk;
    for (std::uint8_t i = 1; i <= 3; ++i) CHECK(desk.pacer.waits(device(i), desk.now));
    CHECK(!desk.pacer.waits(device(4), desk.now));
    desk.ring();
    for (std::uint8_t i = 1; i <= 3; ++i) desk.pacer.came(device(i), desk.now);
    desk.now += 2 * kMinute;
    CHECK(desk.pacer.waits(device(4), desk.now));
    CHECK(desk.pacer.devices() == 1);
}

}  // namespace
}  // namespace nimes::gateway::wake
