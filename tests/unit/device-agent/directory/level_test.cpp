// Levels of verification: what a scan proves, what a voucher passes on, and what is new.
#include "directory/level.hpp"

#include <catch2/catch.hpp>

#include "unit/schemas/identity_fixture.hpp"

using namespace nimes;
using namespace nimes::test;
using namespace nimes::agent::directory;

namespace {

struct Contact {
    Organisation org;
    UserId anna = user(1);
    SigningKeyPair phone_key = key_pair(11), tablet_key = key_pair(12), third_key = key_pair(13);
    DeviceCert phone = certify(org, anna, phone_key, 1);
    DeviceCert tablet = certify(org, anna, tablet_key, 2, Admission::vouched, &phone_key);
    DeviceCert third = certify(org, anna, third_key, 3, Admission::vouched, &tablet_key);
    HeldEntry held;
    ScannedDevices scanned;

    Contact() {
        held.person = PersonInfo{anna, "Meyer, Anna", "PHK", "Celle", "anna.meyer@polizei.example"};
        show({phone, tablet, third});
    }
    void show(std::vector<DeviceCert> certs, std::vector<DeviceRevoke> revokes = {}) {
        std::sort(certs.begin(), certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
        held.entry = {anna, std::move(certs), std::move(revokes)};
    }
    DeviceRevoke revoked(const DeviceCert& cert, RevokeReason reason) const {
        auto out = revoke_by_admin(org, anna, cert.device, 9);
        out.reason = reason;
        return out;
    }
    void scan(const DeviceCert& cert, std::set<DeviceId> beside) {
        scanned[cert.device] = {anna, kNow, std::move(beside)};
    }
    DeviceTrust of(const DeviceCert& cert) const { return trust_of(held, cert.device, scanned); }
};

}  // namespace

TEST_CASE("without a scan: 0 for who is not there, 1 for an entry, 2 with the address") {
    Contact c;
    CHECK(c.of(c.phone).level == 2);
    CHECK_FALSE(c.of(c.phone).is_new);
    CHECK(trust_of(c.held, certify(c.org, c.anna, key_pair(40), 7).device, c.scanned).level == 0);
    c.held.person.reset();
    CHECK(c.of(c.phone).level == 1);
    CHECK(trust_of(c.held, c.scanned, kNow).level == 1);
}

TEST_CASE("a scanned device is level 3, and so is what it vouched for, but not what that one vouched for") {
    Contact c;
    c.scan(c.phone, {c.phone.device});
    CHECK(c.of(c.phone).level == 3);
    CHECK(c.of(c.tablet).level == 3);
    CHECK_FALSE(c.of(c.tablet).is_new);
    CHECK(c.of(c.third).level == 2);
    CHECK(c.of(c.third).is_new);
    const auto all = trust_of(c.held, c.scanned, kNow);
    CHECK(all.level == 2);
    CHECK(all.new_devices == 1);
}

TEST_CASE("the administrator's approval is no voucher, whatever id it carries") {
    Contact c;
    c.third = certify(c.org, c.anna, c.third_key, 3, Admission::approved);
    c.third.voucher = c.phone.device;
    c.show({c.phone, c.tablet, c.third});
    c.scan(c.phone, {c.phone.device});
    CHECK(c.of(c.third).level == 2);
    CHECK(c.of(c.third).is_new);
}

TEST_CASE("a device that was there at the scan and was not scanned is not verified, and not new") {
    Contact c;
    c.scan(c.tablet, {c.phone.device, c.tablet.device});
    CHECK(c.of(c.phone).level == 2);
    CHECK_FALSE(c.of(c.phone).is_new);
    CHECK(c.of(c.third).level == 3);
}

TEST_CASE("the voucher of a device that was lost or stolen is worth nothing, that of a replaced one stays") {
    Contact c;
    c.scan(c.phone, {c.phone.device});
    for (const auto reason : {RevokeReason::lost, RevokeReason::stolen, RevokeReason::left}) {
        c.show({c.phone, c.tablet}, {c.revoked(c.phone, reason)});
        CHECK(c.of(c.tablet).level == 2);
        CHECK(c.of(c.tablet).is_new);
        CHECK(trust_of(c.held, c.scanned, kNow).level == 2);
    }
    c.show({c.phone, c.tablet}, {c.revoked(c.phone, RevokeReason::replaced)});
    CHECK(c.of(c.tablet).level == 3);
    CHECK(trust_of(c.held, c.scanned, kNow).level == 3);
}

TEST_CASE("a scan counts for the user that it named") {
    Contact c;
    c.scanned[c.phone.device] = {user(2), kNow, {}};
    CHECK(c.of(c.phone).level == 2);
    CHECK(c.of(c.tablet).level == 2);
    CHECK_FALSE(c.of(c.third).is_new);
}

TEST_CASE("a person's level is that of the active devices alone") {
    Contact c;
    c.scan(c.phone, {c.phone.device});
    c.show({c.phone, c.tablet, c.third}, {c.revoked(c.third, RevokeReason::stolen)});
    const auto all = trust_of(c.held, c.scanned, kNow);
    CHECK(all.level == 3);
    CHECK(all.new_devices == 0);
    CHECK(trust_of(c.held, c.scanned, c.phone.not_after).level == 2);
}

TEST_CASE("a scan is stored and read back; half a device is refused") {
    const Scanned scan{user(1), kNow, {certify(Organisation{}, user(1), key_pair(11), 1).device}};
    auto bytes = scan.encode();
    const auto back = Scanned::parse(bytes).value();
    CHECK(back.user == scan.user);
    CHECK(back.at == scan.at);
    CHECK(back.beside == scan.beside);
    bytes.pop_back();
    CHECK_FALSE(Scanned::parse(bytes));
}
