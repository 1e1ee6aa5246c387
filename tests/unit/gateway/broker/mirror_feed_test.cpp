// The feed against the table that the plugin really keeps: what matters is that the two end up the same.
#include "broker/mirror_feed.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "identity/mirror_table.hpp"

namespace nimes::gateway::broker {
namespace {

using plugin::MirrorTable;

struct FakeClock final : Clock {
    Millis wall = 1'780'000'000'000;
    Millis since_boot = 100'000;
    [[nodiscard]] Millis now() const override { return wall; }
    [[nodiscard]] Millis boot() const override { return since_boot; }
    void advance(Millis by) {
        wall += by;
        since_boot += by;
    }
};

DeviceId device(std::uint32_t n) {
    DeviceId out;
    for (std::size_t i = 0; i < 4; ++i) out.bytes[i] = static_cast<std::uint8_t>(n >> (8 * (3 - i)));
    out.bytes[15] = 1;
    return out;
}

// A directory of devices, each with the revision at which it changed last.
struct FakeSource final : MirrorSource {
    struct Row {
        MirrorItem item;
        std::uint64_t changed;
    };
    std::map<DeviceId, Row> rows;
    std::uint64_t now_at = 10;
    std::uint64_t oldest = 10;                    // deltas reach back to here
    mutable std::function<void()> while_reading;  // another thread, between two calls

    void set(std::uint32_t n, MirrorState state = MirrorState::active) {
        ++now_at;
        rows[device(n)] = {{device(n), PublicKey{}, state, 1, 2}, now_at};
    }
    [[nodiscard]] std::uint64_t revision() const override {
        const auto out = now_at;
        if (const auto meddle = std::exchange(while_reading, nullptr)) meddle();
        return out;
    }
    [[nodiscard]] std::vector<MirrorItem> all() const override {
        std::vector<MirrorItem> out;
        for (const auto& [id, row] : rows) out.push_back(row.item);
        if (const auto meddle = std::exchange(while_reading, nullptr)) meddle();
        return out;
    }
    [[nodiscard]] std::optional<std::vector<MirrorItem>> since(std::uint64_t revision) const override {
        if (revision < oldest || revision > now_at) return std::nullopt;
        std::vector<MirrorItem> out;
        for (const auto& [id, row] : rows)
            if (row.changed > revision) out.push_back(row.item);
        return out;
    }
};

struct World {
    SigningKeyPair key = signing_key_from_seed(Bytes(32, 2));
    OrgId org = org_id("polizei-test");
    FakeClock clock;
    FakeSource source;
    MirrorFeed feed{source, key.secret, org, "edge-1", clock};
    MirrorTable table;

    [[nodiscard]] MirrorPart open(const Bytes& bytes) const {
        auto part = MirrorPart::open(bytes, key.public_key, org, "edge-1");
        REQUIRE(part);
        return *part;
    }
    void deliver(const std::vector<Bytes>& parts) {
        for (const auto& bytes : parts) table.apply(open(bytes));
    }
    [[nodiscard]] EdgeState state() const {
        EdgeState out;
        out.mirror_revision = table.revision();
        out.wants_full = table.wants_full();
        return out;
    }
    void check_same() const {
        CHECK(table.revision() == source.now_at);
        REQUIRE(table.size() == source.rows.size());
        for (const auto& [id, row] : source.rows) {
            REQUIRE(table.find(id) != nullptr);
            CHECK(*table.find(id) == row.item);
        }
    }
    // As after a start: the link came up, the broker said that it holds nothing, and got everything.
    void begin() {
        feed.linked();
        deliver(feed.on_state(state()));
    }
};

TEST_CASE("nothing is sent before the broker has said what it holds") {
    World w;
    w.source.set(1);
    CHECK(w.feed.changed().empty());
    CHECK(w.feed.tick().empty());
    w.begin();
    w.source.set(2);
    CHECK_FALSE(w.feed.changed().empty());
    w.feed.linked();  // again: it may be another broker process by now
    w.source.set(3);
    CHECK(w.feed.changed().empty());
    w.clock.advance(kHour);
    CHECK(w.feed.tick().empty());
}

TEST_CASE("a broker that holds nothing gets everything, in parts that it can take") {
    World w;
    const auto devices = GENERATE(0U, 1U, 1'000U, 1'001U, 2'500U);
    for (std::uint32_t i = 0; i < devices; ++i) w.source.set(i);
    w.feed.linked();
    const auto parts = w.feed.on_state(w.state());
    CHECK(parts.size() == std::max<std::size_t>(1, (devices + 999) / 1'000));
    for (const auto& bytes : parts) CHECK(w.open(bytes).items.size() <= MirrorPart::kMaxItems);
    w.deliver(parts);
    w.check_same();
    CHECK_FALSE(w.state().wants_full);
}

TEST_CASE("a change goes out as a delta at once, and only once") {
    World w;
    w.source.set(1);
    w.source.set(2);
    w.begin();
    w.source.set(2, MirrorState::revoked);
    const auto parts = w.feed.changed();
    REQUIRE(parts.size() == 1);
    const auto part = w.open(parts[0]);
    CHECK(part.kind == MirrorPart::Kind::delta);
    REQUIRE(part.items.size() == 1);
    CHECK(part.items[0].state == MirrorState::revoked);
    CHECK(w.feed.changed().empty());
    w.deliver(parts);
    w.check_same();
}

TEST_CASE("a change while everything is being read is not lost") {
    World w;
    w.source.set(1);
    w.source.set(2);
    w.feed.linked();
    w.source.while_reading = [&w] { w.source.set(1, MirrorState::revoked); };
    w.deliver(w.feed.on_state(w.state()));
    w.deliver(w.feed.changed());
    w.check_same();
}

TEST_CASE("a broker with a snapshot gets what it missed; one that is ahead gets everything") {
    World w;
    w.source.set(1);
    w.begin();
    w.source.set(2);
    w.source.set(3);
    MirrorFeed restarted(w.source, w.key.secret, w.org, "edge-1", w.clock);
    restarted.linked();
    SECTION("behind by less than is kept") {
        const auto parts = restarted.on_state(w.state());
        REQUIRE(parts.size() == 1);
        CHECK(w.open(parts[0]).kind == MirrorPart::Kind::delta);
        w.deliver(parts);
    }
    SECTION("behind by more than is kept") {
        w.source.oldest = w.source.now_at;
        const auto parts = restarted.on_state(w.state());
        CHECK(w.open(parts[0]).kind == MirrorPart::Kind::full);
        w.deliver(parts);
    }
    SECTION("ahead of a gateway that came from a backup") {
        w.source.now_at = 5;
        const auto parts = restarted.on_state(w.state());
        CHECK(w.open(parts[0]).kind == MirrorPart::Kind::full);
        w.deliver(parts);
    }
    w.check_same();
}

TEST_CASE("more changes than a part holds go as a full copy") {
    World w;
    w.begin();
    for (std::uint32_t i = 0; i < 1'001; ++i) w.source.set(i);
    const auto parts = w.feed.changed();
    CHECK(parts.size() == 2);
    CHECK(w.open(parts[0]).kind == MirrorPart::Kind::full);
    w.deliver(parts);
    w.check_same();
}

TEST_CASE("a lost delta is made good by the next state") {
    World w;
    w.source.set(1);
    w.begin();
    w.source.set(1, MirrorState::revoked);
    CHECK_FALSE(w.feed.changed().empty());      // and lost
    CHECK(w.feed.on_state(w.state()).empty());  // may have crossed it
    w.clock.advance(3 * kSecond);
    w.deliver(w.feed.on_state(w.state()));
    w.check_same();
}

TEST_CASE("a gap makes the broker ask, and the answer does not wait for a delta") {
    World w;
    w.source.set(1);
    w.begin();
    w.source.set(2);
    CHECK_FALSE(w.feed.changed().empty());  // lost
    w.source.set(3);
    w.deliver(w.feed.changed());  // does not fit
    REQUIRE(w.state().wants_full);
    const auto parts = w.feed.on_state(w.state());
    REQUIRE_FALSE(parts.empty());
    CHECK(w.feed.on_state(w.state()).empty());  // the copy is on its way
    w.deliver(parts);
    w.check_same();
}

TEST_CASE("a heartbeat goes out when nothing else did for a minute") {
    World w;
    w.source.set(1);
    w.begin();
    w.clock.advance(kMinute - 1);
    CHECK(w.feed.tick().empty());
    w.clock.advance(1);
    const auto parts = w.feed.tick();
    REQUIRE(parts.size() == 1);
    CHECK(w.open(parts[0]).items.empty());
    CHECK(w.open(parts[0]).from == w.open(parts[0]).to);
    CHECK(w.feed.tick().empty());
    w.deliver(parts);
    CHECK(w.table.issued() == w.clock.wall);
    w.check_same();
}

TEST_CASE("a clock that is set back a little holds up no revocation") {
    World w;
    w.source.set(1);
    w.begin();
    w.clock.wall -= 5 * kMinute;
    w.source.set(1, MirrorState::revoked);
    w.deliver(w.feed.changed());
    w.check_same();
    // Set back by more than the plugin believes of the future, the old time would never be taken: the true one may.
    w.clock.wall -= kDay;
    w.source.set(2);
    CHECK(w.open(w.feed.changed().at(0)).issued == w.clock.wall);
}

TEST_CASE("another directory's key signs nothing that the broker takes") {
    World w;
    w.source.set(1);
    const auto foreign = signing_key_from_seed(Bytes(32, 9));
    MirrorFeed feed(w.source, foreign.secret, w.org, "edge-1", w.clock);
    feed.linked();
    for (const auto& bytes : feed.on_state(w.state()))
        CHECK_FALSE(MirrorPart::open(bytes, w.key.public_key, w.org, "edge-1"));
}

}  // namespace
}  // namespace nimes::gateway::broker
