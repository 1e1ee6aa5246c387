// What the doctor says, what the recorder keeps, when acknowledgements go: the parts that know no network.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "engine/acks.hpp"
#include "engine/doctor.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::agent::engine {
namespace {

using container::TempDir;
using transport::Reached;

Facts healthy() {
    Facts f;
    f.enrolled = true;
    f.free_bytes = 1ull << 30;
    f.gateway = Reached::tls;
    f.clock_offset = 200;
    f.token_asked = true;
    f.brokers = {Reached::tls};
    f.connected = f.welcomed = f.synced = true;
    f.head_age = kHour;
    return f;
}

// The checks that are bad, in order.
std::vector<std::string> bad(const Facts& facts) {
    std::vector<std::string> out;
    for (const auto& finding : judge(facts)) {
        if (finding.verdict != Verdict::bad) continue;
        CHECK(!finding.next.empty());  // each says what to do
        out.push_back(finding.check);
    }
    return out;
}
using Checks = std::vector<std::string>;

TEST_CASE("a healthy device has nothing bad, and every check is shown") {
    const auto findings = judge(healthy());
    CHECK(bad(healthy()).empty());
    Checks shown;
    for (const auto& finding : findings) shown.push_back(finding.check);
    CHECK(shown == Checks{"home", "disk", "gateway", "clock", "token", "broker", "connection", "outbox", "seal_keys",
                          "directory"});
}

TEST_CASE("each thing that stops messages is named, first what causes the rest") {
    auto f = healthy();
    SECTION("not enrolled") { CHECK(bad(Facts{}) == Checks{"home"}); }
    SECTION("revoked") {
        f.shut_out = f.token_error = Errc::device_revoked;
        f.connected = f.welcomed = f.synced = false;
        CHECK(bad(f) == Checks{"home", "token", "connection"});
    }
    SECTION("no network") {
        f.gateway = Reached::nothing;
        f.brokers = {Reached::nothing};
        f.clock_offset.reset();
        f.token_asked = f.connected = f.welcomed = f.synced = false;
        CHECK(bad(f) == Checks{"gateway", "broker", "connection"});
    }
    SECTION("somebody else answers") {
        f.gateway = Reached::tcp;
        CHECK(bad(f) == Checks{"gateway"});
    }
    SECTION("the broker is down, one of two is enough") {
        f.connected = f.welcomed = f.synced = false;
        f.brokers = {Reached::name, Reached::name};
        CHECK(bad(f) == Checks{"broker", "connection"});
        f.brokers[1] = Reached::tls;
        CHECK(bad(f) == Checks{"connection"});
    }
    SECTION("the gateway is down behind a broker that is there") {
        f.gateway = Reached::name;
        f.token_asked = f.welcomed = f.synced = false;
        f.unheard = true;
        CHECK(bad(f) == Checks{"gateway", "connection"});
    }
    SECTION("the disk is full") {
        f.write_error = Errc::disk_full;
        CHECK(bad(f) == Checks{"disk"});
    }
    SECTION("a wrong clock") {
        f.clock_offset = -601'000;
        CHECK(bad(f) == Checks{"clock"});
        f.clock_offset = 599'000;
        CHECK(bad(f).empty());
    }
    SECTION("the outbox is stuck") {
        f.outbox = 3;
        f.stuck = {{{Errc::mailbox_full, {}}, 2}};
        CHECK(bad(f) == Checks{"outbox"});
    }
    SECTION("old keys, an old directory, alarms") {
        f.seal_keys_due = true;
        f.head_age = kDay;
        f.alarms = 1;
        CHECK(bad(f) == Checks{"seal_keys", "directory", "alarms"});
    }
}

FlightEvent event(std::uint32_t n) { return {1'000 + n, Flight::failed, 2, 0, n}; }

TEST_CASE("the recorder keeps the last 512 events across restarts, in a file that never grows") {
    TempDir home;
    for (std::uint32_t life = 0; life < 3; ++life) {
        FlightRecorder recorder;
        recorder.note(event(life * 1'000));  // before the home was opened
        recorder.open(home.path());
        for (std::uint32_t n = 1; n < 300; ++n) recorder.note(event(life * 1'000 + n));
    }
    FlightRecorder recorder;
    recorder.open(home.path());
    const auto events = recorder.events();
    REQUIRE(events.size() == FlightRecorder::kEvents);
    CHECK(events.back() == event(2'299));
    CHECK(events.front() == event(1'088));
    CHECK(std::ranges::is_sorted(events, {}, &FlightEvent::at));
    CHECK(std::filesystem::file_size(home.path() / "flight") == FlightRecorder::kEvents * 32);
}

TEST_CASE("a torn event is left out, and a file that is none is written over") {
    TempDir home;
    const auto file = home.path() / "flight";
    {
        FlightRecorder recorder;
        recorder.open(home.path());
        for (std::uint32_t n = 0; n < 10; ++n) recorder.note(event(n));
    }
    {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(5 * 32 + 9);
        out.put('\xff');
    }
    {
        FlightRecorder recorder;
        recorder.open(home.path());
        CHECK(recorder.events().size() == 9);
    }
    std::ofstream(file, std::ios::trunc) << std::string(100'000, '\xff');
    FlightRecorder recorder;
    recorder.open(home.path());
    CHECK(recorder.events().empty());
    recorder.note(event(7));
    FlightRecorder again;
    again.open(home.path());
    CHECK(again.events() == std::vector{event(7)});
}

TEST_CASE("without a file it goes on in memory") {
    FlightRecorder recorder;
    recorder.open("/nowhere/at/all");
    for (std::uint32_t n = 0; n < 600; ++n) recorder.note(event(n));
    CHECK(recorder.events().size() == FlightRecorder::kEvents);
}

TEST_CASE("every event has words, known or not") {
    for (int what = 0; what < 256; ++what)
        for (int cause = 0; cause < 256; cause += 51)
            CHECK(!in_words({0, static_cast<Flight>(what), static_cast<std::uint8_t>(cause), 0xffff, 0xffffffff})
                       .empty());
    CHECK(in_words({0, Flight::welcomed, 0, 0, static_cast<std::uint32_t>(-3'600)}) ==
          "the gateway answered; clocks differ by 60 minutes, ours is ahead");
}

TEST_CASE("few arrivals are acknowledged a little later and together, many at once") {
    Acks acks;
    acks.stored(0, 1'000);
    CHECK(!acks.owed());
    acks.stored(1, 1'000);
    acks.stored(5, 1'150);
    REQUIRE(acks.owed());
    CHECK(acks.due() == 1'000 + Acks::kDelay);
    acks.settled();
    CHECK(!acks.owed());
    acks.stored(Acks::kAtOnce, 5'000);
    CHECK(acks.due() == 5'000);
    // A thousand that wait, as the gateway sends them: packets, not messages, are acknowledged.
    acks.settled();
    int packets = 0;
    for (int sent = 0; sent < 1'000; sent += 200) {
        acks.stored(200, 6'000);
        if (acks.due() > 6'000) continue;
        ++packets;
        acks.settled();
    }
    CHECK(packets == 5);
}

}  // namespace
}  // namespace nimes::agent::engine
