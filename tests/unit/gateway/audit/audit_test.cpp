// The audit: what is on disk together, and what an export cannot hide.
#include <catch2/catch.hpp>

#include "audit/check.hpp"
#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "store/memory_store.hpp"

using namespace nimes;
using namespace nimes::gateway;
using audit::Check;
using store::Batch;
using store::Sync;

namespace {

struct FixedClock final : Clock {
    Millis now() const override { return 1'780'000'000'000; }
    Millis boot() const override { return 0; }
};

const store::Partition kElsewhere{store::Family::directory, "acts"};
const store::Partition kLog{store::Family::audit, "log"};

struct Office {
    store::MemoryStore store;
    FixedClock clock;
    std::unique_ptr<audit::Log> log = audit::Log::open(store, clock).value();

    Result<void> act(const std::string& what) {
        return log->write({"uid 998", what, {{"device", "d"}}, "because"}, [&](const Batch& row) {
            Batch batch(kElsewhere);
            batch.put(what, {});
            return store.commit(std::array{row, batch}, Sync::yes);
        });
    }
    std::vector<std::string> exported() {
        auto lines = log->read(1, 1'000).value();
        lines.push_back(audit::head_line(log->head(), clock.now()));
        return lines;
    }
};

std::vector<std::string> of_five() {
    Office office;
    for (const auto* what : {"a", "b", "c", "d", "e"}) REQUIRE(office.act(what));
    return office.exported();
}

Result<Check::Sound> judge(const std::vector<std::string>& lines, const std::optional<Digest>& known = {}) {
    Check check(known);
    for (const auto& line : lines)
        if (auto ok = check.take(line); !ok) return pass(ok);
    return check.finish();
}

std::string problem(const std::vector<std::string>& lines, const std::optional<Digest>& known = {}) {
    const auto sound = judge(lines, known);
    return sound ? "sound" : sound.error().detail;
}

// All from entry `from` on anew, as who holds the store could write it.
std::vector<std::string> rewritten(std::vector<std::string> lines, std::size_t from) {
    audit::Head head{from - 1, from > 1 ? audit::hash_of(lines[from - 2]) : Digest{}};
    lines.resize(from - 1);
    for (const auto* what : {"x", "y"}) {
        lines.push_back(audit::line_of({"uid 998", what, {}, ""}, head, 1));
        head = {head.seq + 1, audit::hash_of(lines.back())};
    }
    lines.push_back(audit::head_line(head, 1));
    return lines;
}

}  // namespace

TEST_CASE("an export that nobody touched is sound, and an earlier head is found in it") {
    const auto lines = of_five();
    REQUIRE(judge(lines));
    CHECK(judge(lines)->head.seq == 5);
    CHECK(judge(lines, audit::hash_of(lines[2]))->known_at == 3U);
    CHECK(judge({audit::head_line({}, 1)})->head.seq == 0);
}

TEST_CASE("an entry says who, what, whom, why and when, and names the hash of the line before") {
    const auto lines = of_five();
    CHECK(lines[0] ==
          R"({"audit":1,"seq":1,"ms":1780000000000,"who":"uid 998","what":"a","whom":{"device":"d"},"why":"because",)"
          R"("prev":"0000000000000000000000000000000000000000000000000000000000000000"})");
    CHECK(lines[1].find("\"prev\":\"" + to_hex(sha256({as_bytes(lines[0])}).view())) != std::string::npos);
}

TEST_CASE("every byte of every entry counts") {
    const auto lines = of_five();
    for (std::size_t i = 0; i < lines.size(); ++i)
        for (std::size_t k = 0; k < lines[i].size(); ++k) {
            auto changed = lines;
            changed[i][k] = static_cast<char>(changed[i][k] ^ 1);
            // When it was exported is for people, and part of nothing.
            if (i == 5 && k >= lines[i].find("exported_ms")) continue;
            INFO("line " << i + 1 << ", byte " << k);
            CHECK_FALSE(judge(changed));
        }
}

TEST_CASE("a changed entry is named") {
    auto lines = of_five();
    lines[1].replace(lines[1].find("because"), 7, "BECAUSE");
    CHECK(problem(lines) == "entry 2 was changed, or entry 3 is not what followed it");
    lines = of_five();
    lines[4].replace(lines[4].find("because"), 7, "BECAUSE");
    CHECK(problem(lines) == "entry 5 was changed");
}

TEST_CASE("a removed entry is named") {
    auto lines = of_five();
    lines.erase(lines.begin() + 1, lines.begin() + 3);
    CHECK(problem(lines) == "entry 2 to 3 is missing, or stands elsewhere");
    lines = of_five();
    lines.erase(lines.begin());
    CHECK(problem(lines) == "entry 1 is missing, or stands elsewhere");
}

TEST_CASE("a moved, a doubled and a slipped in entry are named") {
    auto lines = of_five();
    std::swap(lines[1], lines[2]);
    CHECK(problem(lines) == "entry 2 is missing, or stands elsewhere");
    lines = of_five();
    lines.insert(lines.begin() + 3, lines[2]);
    CHECK(problem(lines) == "entry 3 stands where entry 4 should: moved, or doubled");
    lines = of_five();
    lines[2] = audit::line_of({"uid 0", "nothing", {}, ""}, {2, audit::hash_of(lines[1])}, 1);
    CHECK(problem(lines) == "entry 3 was changed, or entry 4 is not what followed it");
}

TEST_CASE("a file that lost its end is found, with the head left in place and without") {
    auto lines = of_five();
    lines.pop_back();
    CHECK(problem(lines) == "the file ends without a head: its end is missing");
    lines = of_five();
    lines.erase(lines.begin() + 3, lines.begin() + 5);
    CHECK(problem(lines) == "entry 4 to 5 is missing at the end");
    lines = of_five();
    lines.push_back(lines[0]);
    CHECK(problem(lines) == "something stands behind the head");
}

TEST_CASE("what was rewritten whole, or cut off with a head made to fit, is found by a head that was noted before") {
    const auto lines = of_five();
    const auto noted = audit::hash_of(lines[4]);
    for (std::size_t from = 1; from <= 5; ++from) {
        const auto forged = rewritten(lines, from);
        CHECK(problem(forged) == "sound");
        CHECK(problem(forged, noted).starts_with("no entry has the head that was given"));
    }
}

TEST_CASE("act and entry are on disk together, or neither is") {
    Office office;
    REQUIRE(office.act("a"));
    const auto before = office.exported();
    const auto refused = office.log->write({"uid 998", "b", {}, ""}, [&](const Batch& row) {
        Batch batch(kElsewhere);
        batch.expect("not there", Bytes{1}).put("b", {});
        return office.store.commit(std::array{batch, row}, Sync::yes);
    });
    CHECK(refused.error().code == Errc::storage_conflict);
    CHECK(office.exported() == before);
    CHECK(*office.log->write({"uid 998", "c", {}, ""}, [](const Batch&) { return Result<int>(7); }) == 7);
    CHECK(office.exported() == before);
    REQUIRE(office.act("d"));
    CHECK(judge(office.exported())->head.seq == 2);
}

TEST_CASE("an act whose commit reached the disk though its answer did not keeps its place in the chain") {
    Office office;
    const auto lost = office.log->write({"uid 998", "a", {}, ""}, [&](const Batch& row) -> Result<void> {
        REQUIRE(office.store.commit(row, Sync::yes));
        return fail(Errc::storage);
    });
    CHECK_FALSE(lost);
    REQUIRE(office.act("b"));
    CHECK(judge(office.exported())->head.seq == 2);
    office.log = audit::Log::open(office.store, office.clock).value();
    REQUIRE(office.act("c"));
    CHECK(judge(office.exported())->head.seq == 3);
}

TEST_CASE("a store whose audit lost its end, or has it changed, is noticed when it is opened") {
    Office office;
    for (const auto* what : {"a", "b"}) REQUIRE(office.act(what));
    const auto key = "e" + store::key_u64(2);
    const auto line = office.store.get(kLog, key).value().value();
    const auto put = [&](ByteView value) {
        Batch batch(kLog);
        batch.put(key, value);
        REQUIRE(office.store.commit(batch, Sync::yes));
        return audit::Log::open(office.store, office.clock).has_value();
    };
    CHECK(put(line));
    auto changed = line;
    changed[20] ^= 1;
    CHECK_FALSE(put(changed));
    Batch gone(kLog);
    gone.erase(key);
    REQUIRE(office.store.commit(gone, Sync::yes));
    CHECK_FALSE(audit::Log::open(office.store, office.clock));
}

TEST_CASE("texts that are no text do not break the chain") {
    Office office;
    REQUIRE(office.log->write({"uid 998", "a", {{"name", "\xff\n\""}}, std::string("\0\x01", 2)}));
    REQUIRE(office.act("b"));
    for (const auto& line : office.exported()) CHECK(line.find('\n') == std::string::npos);
    CHECK(judge(office.exported()));
}
