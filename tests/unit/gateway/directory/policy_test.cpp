// The policy as the gateway signs it: anew when it says something else, never under a serial that was there before.
#include "directory/policy_book.hpp"

#include "nimes/opaque.hpp"
#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::directory;

namespace {

struct Desk {
    FaultyStore store;
    FakeClock clock;
    OrgSecrets keys = secrets();

    PolicyBook book() { return {store, keys, clock}; }
    static PolicyWish days(std::uint32_t n) {
        PolicyWish out;
        out.policy.set_retention_days(n);
        return out;
    }
    Result<bool> tell(PolicyBook& book, std::uint32_t n) {
        return book.tell(days(n), [&](const store::Batch& batch, const v1::SignedPolicy&) {
            return store.commit(batch, store::Sync::yes);
        });
    }
    v1::SignedPolicy read(ByteView record) const {
        v1::SignedPolicy out;
        const auto bytes = open_policy(keys.public_keys().administrators, keys.org, record).value();
        REQUIRE(out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
        return out;
    }
};

}  // namespace

TEST_CASE("a policy is signed when it says something else, and its serial rises") {
    Desk d;
    auto first = d.book();
    CHECK(d.tell(first, 7) == true);
    const auto serial = first.now().serial();
    CHECK(serial == kStart);
    CHECK(d.read(first.newer_than(0)).policy().retention_days() == 7);
    CHECK(first.newer_than(serial).empty());
    // The next starts: the same, and then another one, though the clock stands.
    auto second = d.book();
    CHECK(d.tell(second, 7) == false);
    CHECK(second.now().serial() == serial);
    auto third = d.book();
    CHECK(d.tell(third, 5) == true);
    CHECK(third.now().serial() == serial + 1);
    CHECK(d.read(third.newer_than(serial)).policy().retention_days() == 5);
}

TEST_CASE("what could not be stored was not signed: nobody is told of it") {
    Desk d;
    auto book = d.book();
    CHECK(d.tell(book, 7) == true);
    auto next = d.book();
    d.store.broken = "policy";
    CHECK_FALSE(d.tell(next, 5));
    CHECK(next.now().policy().retention_days() == 7);
    d.store.broken.clear();
    auto after = d.book();
    CHECK(d.tell(after, 7) == false);
}

TEST_CASE("a handset that was told by a store which is lost is told again, under a newer serial") {
    Desk d;
    auto lost = d.book();
    CHECK(d.tell(lost, 7) == true);
    const auto copy = lost.newer_than(0);
    d.clock.time += kHour;
    CHECK(d.tell(lost, 5) == true);
    const auto told = lost.now().serial();
    // The copy is put back.
    store::Batch batch({store::Family::directory, "policy"});
    batch.put("p", copy);
    REQUIRE(d.store.commit(batch, store::Sync::yes));
    d.clock.time += kHour;
    auto back = d.book();
    CHECK(d.tell(back, 7) == false);
    // One that is yet to come is nobody's.
    CHECK(back.newer_than(d.clock.time + 1).empty());
    const auto again = d.read(back.newer_than(told));
    CHECK(again.serial() > told);
    CHECK(again.policy().retention_days() == 7);
    CHECK(again.since_ms() == kStart);
    // Once an hour: else a handset that lies has all of them told anew without end.
    d.clock.time += kHour - 1;
    CHECK(back.newer_than(again.serial() + 1).empty());
    auto next = d.book();
    CHECK(d.tell(next, 7) == false);
    CHECK(next.now().serial() == again.serial());
    d.clock.time += 1;
    CHECK(d.read(back.newer_than(again.serial() + 1)).serial() == d.clock.time);
}

TEST_CASE("what could not be signed once more is tried again, soon") {
    Desk d;
    auto book = d.book();
    CHECK(d.tell(book, 7) == true);
    d.clock.time += kHour;
    d.store.broken = "policy";
    CHECK(book.newer_than(kStart + 1).empty());
    d.store.broken.clear();
    CHECK(book.newer_than(kStart + 1).empty());
    d.clock.time += kMinute;
    CHECK(d.read(book.newer_than(kStart + 1)).serial() == d.clock.time);
}

TEST_CASE("a policy that is longer than handsets take is not signed, and what they were told stands") {
    Desk d;
    auto book = d.book();
    CHECK(d.tell(book, 7) == true);
    auto next = d.book();
    PolicyWish wish = Desk::days(5);
    for (int i = 0; i < 300; ++i) wish.pilot.add_units(std::string(60, 'x'));
    const auto refused = next.tell(wish, [](const store::Batch&, const v1::SignedPolicy&) { return Result<void>(); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::bad_config);
    CHECK(next.now().policy().retention_days() == 7);
}

TEST_CASE("under another administrator key all is signed anew") {
    Desk d;
    auto book = d.book();
    CHECK(d.tell(book, 7) == true);
    d.keys.administrator = key_pair(9);
    auto next = d.book();
    CHECK(d.tell(next, 7) == true);
    CHECK(d.read(next.newer_than(0)).policy().retention_days() == 7);
}
