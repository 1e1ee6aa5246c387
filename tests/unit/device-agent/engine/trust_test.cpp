// Alarms about one's own devices: raised once, open until answered, also after a restart; and what a scan leaves.
#include "engine/trust.hpp"

#include "engine/view.hpp"
#include "history_fixture.hpp"

namespace nimes::agent::engine {
namespace {

// Anna's new device, vouched for by her old one, and a third that neither told it of.
struct Owner : Device {
    SigningKeyPair third_key = test::key_pair(14);
    DeviceCert third = test::certify(org, anna, third_key, 3, Admission::vouched, &old_key);

    Owner() { REQUIRE(know_own_device(core, old_cert.device)); }
    DirectoryEntry entry(std::vector<DeviceRevoke> revokes = {}) const {
        DirectoryEntry out{anna, {old_cert, new_cert, third}, std::move(revokes)};
        std::sort(out.certs.begin(), out.certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
        return out;
    }
    void judge(std::vector<DeviceRevoke> revokes = {}) { REQUIRE(judge_own_devices(core, entry(std::move(revokes)))); }
    DeviceRevoke revoked(std::uint32_t seq) const { return test::revoke_by_admin(org, anna, third.device, seq); }
    std::vector<Alarm> open() { return open_alarms(core).value(); }
    std::size_t raised() { return alarms_after(core, 0).value().size(); }
    // What this device knows after a restart.
    void restart() {
        core.own_alarms.clear();
        core.scanned.clear();
        auto tx = core.box->begin();
        REQUIRE(tx);
        REQUIRE(load_trust(core, *tx));
    }
};

}  // namespace

TEST_CASE("an unknown device in the own entry raises one alarm, which stays until it is confirmed") {
    Owner o;
    o.judge();
    REQUIRE(o.open().size() == 1);
    CHECK(o.open()[0].device == o.third.device);
    CHECK(o.open()[0].text.find("platform 0, valid from 2026-05-27") != std::string::npos);
    o.judge();
    o.restart();
    o.judge();
    CHECK(o.raised() == 1);
    REQUIRE(o.open().size() == 1);
    REQUIRE(confirm_own_device(o.core, o.third.device));
    CHECK(o.open().empty());
    o.restart();
    o.judge();
    CHECK(o.open().empty());
    CHECK(o.raised() == 1);
    CHECK_FALSE(alarms_after(o.core, 0).value()[0].device);
    CHECK(confirm_own_device(o.core, o.third.device));  // a repeat
}

TEST_CASE("only what an alarm names is confirmed") {
    Owner o;
    CHECK(confirm_own_device(o.core, o.third.device).error().code == Errc::not_found);
    o.judge();
    CHECK(o.open().size() == 1);
}

TEST_CASE("a device that this one vouched for, and the one that vouched for this, raise nothing") {
    Owner o;
    REQUIRE(know_own_device(o.core, o.third.device));
    o.judge();
    CHECK(o.raised() == 0);
}

TEST_CASE("a revocation answers an alarm; the device is not asked about again") {
    Owner o;
    o.judge();
    o.judge({o.revoked(4)});
    CHECK(o.open().empty());
    o.judge({o.revoked(4)});
    CHECK(o.raised() == 1);
}

TEST_CASE("a device that came and went while this one was away is told of; one from before its time is not") {
    Owner o;
    o.judge({o.revoked(4)});
    CHECK(o.open().empty());
    REQUIRE(o.raised() == 1);
    CHECK(alarms_after(o.core, 0).value()[0].text.find("revoked already") != std::string::npos);

    Owner late;
    late.core.door.cert->seq = 5;
    late.judge({late.revoked(4)});
    CHECK(late.raised() == 0);
    CHECK(late.core.known_own_devices.contains(late.third.device));
}

TEST_CASE("own devices: this one is verified by itself, what it vouched for too, and who it does not know is new") {
    Owner o;
    o.third = test::certify(o.org, o.anna, o.third_key, 3, Admission::vouched, &o.new_key);
    o.judge();
    directory::HeldEntry held;
    held.entry = o.entry();
    CHECK(trust_of(o.core, held, o.new_cert.device).level == 3);
    CHECK_FALSE(trust_of(o.core, held, o.new_cert.device).is_new);
    CHECK(trust_of(o.core, held, o.third.device).level == 3);
    CHECK(trust_of(o.core, held, o.third.device).is_new);
    CHECK(trust_of(o.core, held, o.old_cert.device).level == 1);
    REQUIRE(confirm_own_device(o.core, o.third.device));
    CHECK_FALSE(trust_of(o.core, held, o.third.device).is_new);
}

TEST_CASE("a scan is kept over a restart, with who was there beside it") {
    Owner o;
    directory::HeldEntry held;
    const auto cert = test::certify(o.org, o.bernd, o.bernd_key, 1);
    held.entry = {o.bernd, {cert}, {}};
    REQUIRE(put_scanned(o.core, held, cert.device));
    o.restart();
    REQUIRE(o.core.scanned.contains(cert.device));
    CHECK(o.core.scanned.at(cert.device).beside == std::set{cert.device});
    CHECK(trust_of(o.core, held, cert.device).level == 3);
    held.entry.certs.push_back(test::certify(o.org, o.bernd, test::key_pair(15), 2, Admission::approved));
    std::sort(held.entry.certs.begin(), held.entry.certs.end(),
              [](const auto& a, const auto& b) { return a.device < b.device; });
    CHECK(trust_of(o.core, held).new_devices == 1);
}

TEST_CASE("who revoked itself stays out after a restart") {
    Owner o;
    REQUIRE(note_own_revocation(o.core));
    CHECK(o.core.shut_out == Errc::device_revoked);
    auto tx = o.core.box->begin();
    CHECK(tx->get(container::Table::settings, setting_key(setting::kRevoked)).value().has_value());
}

}  // namespace nimes::agent::engine
