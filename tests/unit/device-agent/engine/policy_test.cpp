// The organisation's policy: whose word counts, which of two is newer, and that what it says is what the handset does.
#include <fstream>

#include "desk.hpp"
#include "nimes/opaque.hpp"
#include "nimes/version.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

v1::SignedPolicy policy(std::uint64_t serial) {
    v1::SignedPolicy out;
    out.set_serial(serial);
    out.set_since_ms(kNow);
    auto& p = *out.mutable_policy();
    p.set_retention_days(3);
    p.set_offline_grace_minutes(30);
    p.set_lock_after_seconds(60);
    p.set_device_hold_seconds(5);
    p.set_export_allowed(true);
    p.set_minimum_agent("0.0.1");
    return out;
}

Bytes signed_by(const SigningKeyPair& key, const OrgId& org, const v1::SignedPolicy& said) {
    return sign_policy(key, org, as_bytes(said.SerializeAsString()));
}

Bytes signed_policy(const Desk& d, const v1::SignedPolicy& said) {
    return signed_by(d.town.directory.org.admin, d.town.directory.org.keys.org, said);
}

std::size_t alarms(Desk& d) {
    auto tx = d.core->box->begin();
    REQUIRE(tx);
    return tx->scan(Table::alarms)->size();
}

}  // namespace

TEST_CASE("a policy that an administrator signed is obeyed at once, and after a restart") {
    Desk d;
    REQUIRE(d.contact());
    CHECK(d.core->provisioning->policy.serial == 0);
    CHECK_FALSE(d.core->rules().export_allowed);
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    const auto check = [&] {
        const auto& p = d.core->provisioning->policy;
        CHECK(p.serial == 7);
        CHECK(p.since == kNow);
        CHECK(p.retention == 3 * kDay);
        CHECK(p.lease.grace == 30 * kMinute);
        CHECK(p.lock_after == kMinute);
        CHECK(p.device_hold == 5 * kSecond);
        CHECK(d.core->rules().export_allowed);
    };
    check();
    d.start();
    check();
}

TEST_CASE("an older policy, or the same once more, is refused: nobody plays an old one again") {
    Desk d;
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    auto other = policy(7);
    other.mutable_policy()->set_export_allowed(false);
    for (const auto serial : {std::uint64_t{6}, std::uint64_t{7}}) {
        other.set_serial(serial);
        CHECK(d.core->take_policy(signed_policy(d, other)).error().code == Errc::exists);
    }
    CHECK(d.core->rules().export_allowed);
    CHECK_FALSE(d.core->told_policy.refused);
    d.start();  // what is held is remembered with its serial
    CHECK(d.core->take_policy(signed_policy(d, other)).error().code == Errc::exists);
    other.set_serial(8);
    REQUIRE(d.core->take_policy(signed_policy(d, other)));
    CHECK_FALSE(d.core->rules().export_allowed);
}

TEST_CASE("a forged policy changes nothing, and raises one alarm") {
    Desk d;
    REQUIRE(d.contact());
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    auto loose = policy(9);
    loose.mutable_policy()->set_offline_grace_minutes(4'320);
    const auto& org = d.town.directory.org;
    const auto before = alarms(d);
    // Keys of the organisation that are no administrator's, and nobody's.
    for (const auto& key : {&org.directory, &org.ea, &d.anna().key})
        CHECK(d.core->take_policy(signed_by(*key, org.keys.org, loose)).error().code == Errc::signature_invalid);
    CHECK(d.core->take_policy(signed_by(org.admin, org_id("feuerwehr"), loose)).error().code ==
          Errc::signature_invalid);
    auto changed = signed_policy(d, loose);
    changed[20] ^= 1;
    CHECK_FALSE(d.core->take_policy(changed));
    CHECK(d.core->provisioning->policy.lease.grace == 30 * kMinute);
    CHECK(d.core->told_policy.refused);
    CHECK(alarms(d) == before + 1);
    REQUIRE(d.core->take_policy(signed_policy(d, loose)));
    CHECK_FALSE(d.core->told_policy.refused);
    CHECK(d.core->provisioning->policy.lease.grace == 72 * kHour);
}

TEST_CASE("one that was forged while the handset was locked raises its alarm when it opens") {
    Desk d;
    REQUIRE(d.contact());
    const auto before = alarms(d);
    d.keeper->close(Why::asked);
    const auto forged = signed_by(d.anna().key, d.town.directory.org.keys.org, policy(9));
    CHECK_FALSE(d.core->take_policy(forged));
    CHECK_FALSE(d.core->take_policy(forged));
    REQUIRE(d.unlock());
    REQUIRE(d.core->load());
    d.core->settle_policy();
    d.core->settle_policy();
    CHECK(alarms(d) == before + 1);
}

TEST_CASE("one of a time to come is not taken: it would bar all others until then") {
    Desk d;
    const auto now = d.core->now();
    CHECK(d.core->take_policy(signed_policy(d, policy(now + 31 * kDay))).error().code == Errc::held);
    CHECK(d.core->take_policy(signed_policy(d, policy(~std::uint64_t{0}))).error().code == Errc::held);
    CHECK(d.core->told_policy.refused);
    CHECK(d.core->provisioning->policy.serial == 0);
    REQUIRE(d.core->take_policy(signed_policy(d, policy(now + 29 * kDay))));
}

TEST_CASE("one that no disk takes now is obeyed all the same, and stored as soon as that works") {
    Desk d;
    REQUIRE(d.contact());
    {
        const auto others = d.core->box->begin();  // the door cannot be written beside
        REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
        CHECK(d.core->rules().export_allowed);
        CHECK(d.core->told_policy.unstored);
    }
    d.core->settle_policy();
    CHECK_FALSE(d.core->told_policy.unstored);
    d.start();
    CHECK(d.core->provisioning->policy.serial == 7);
}

TEST_CASE("a locked handset takes a policy, and remembers it beside the door, over a restart that opens nothing") {
    Desk d;
    REQUIRE(d.contact());
    d.keeper->close(Why::asked);
    REQUIRE(d.box_state() == State::door);
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    CHECK(d.core->provisioning->policy.lease.grace == 30 * kMinute);
    CHECK(d.file_there("policy"));
    d.gate.refuses = Errc::offline;
    d.start();
    REQUIRE(d.box_state() == State::door);
    CHECK(d.core->provisioning->policy.serial == 7);
    CHECK(d.core->take_policy(signed_policy(d, policy(6))).error().code == Errc::exists);
    d.gate.refuses.reset();
    REQUIRE(d.contact());
    REQUIRE(d.core->load());  // as whoever opens it does
    d.core->settle_policy();
    CHECK_FALSE(d.file_there("policy"));
    d.start();
    CHECK(d.core->provisioning->policy.serial == 7);
    // What somebody lays there counts by its signature and its serial alone.
    std::ofstream(d.home() / "policy", std::ios::binary) << as_text(signed_policy(d, policy(3)));
    d.start();
    CHECK(d.core->provisioning->policy.serial == 7);
    std::ofstream(d.home() / "policy", std::ios::binary) << std::string(40'000, 'x');
    d.start();
    CHECK(d.core->provisioning->policy.serial == 7);
}

TEST_CASE("a shorter grace counts from the last renewal on, for who is away as for who is locked") {
    Desk d;
    REQUIRE(d.contact());
    if (GENERATE(false, true)) d.keeper->close(Why::asked);
    d.clock.set(20 * kMinute);
    d.gate.refuses = Errc::offline;
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    d.tick();
    CHECK(d.box_state() != State::shut);
    CHECK(*d.core->box->lease_left() <= 10 * kMinute);
    d.clock.set(31 * kMinute);
    d.tick();
    CHECK(d.box_state() == State::shut);
    CHECK(d.keeper->why() == Why::lease_over);
}

TEST_CASE("who has a connection renews the lease under a shorter grace, and notices nothing") {
    Desk d;
    REQUIRE(d.contact());
    d.clock.set(40 * kMinute);
    REQUIRE(d.core->take_policy(signed_policy(d, policy(7))));
    const auto asked = d.gate.asked;
    d.tick(std::nullopt, true);
    CHECK(d.gate.asked == asked + 1);
    CHECK(d.box_state() == State::open);
    CHECK(*d.core->box->lease_left() == 30 * kMinute);
    d.tick(std::nullopt, true);
    CHECK(d.gate.asked == asked + 1);
}

TEST_CASE("people of units in pilot do what pilot says; behind a lock, what either forbids is forbidden") {
    Policy p;
    p.rules = {true, true, false};
    p.pilot_units = {"Celle"};
    p.pilot = {false, true, true};
    CHECK(p.rules_for("Gifhorn").export_allowed);
    CHECK_FALSE(p.rules_for("Celle").export_allowed);
    CHECK(p.rules_for("Celle").history_allowed);
    const auto unknown = p.rules_for(std::nullopt);
    CHECK_FALSE(unknown.export_allowed);
    CHECK(unknown.viewer_allowed);
    CHECK_FALSE(unknown.history_allowed);
    p.pilot_units.clear();
    CHECK(p.rules_for(std::nullopt).export_allowed);
}

TEST_CASE("an agent is outdated below the version that policy names, by number and not by letter") {
    Policy p;
    CHECK_FALSE(p.outdated("0.1.0"));
    p.minimum_agent = "0.10.0";
    CHECK(p.outdated("0.9.9"));
    CHECK_FALSE(p.outdated("0.10.0"));
    CHECK_FALSE(p.outdated("1.0.0"));
    for (const auto* none : {"", "1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1..3", "99999999999.0.0"})
        CHECK_FALSE(Version::parse(none));
}
