// How a person's next device is admitted, over the real directory.
#include "../directory/office.hpp"
#include "app/adapters.hpp"

using namespace nimes;
using namespace nimes::gateway;
using directory::Handset;

namespace {

struct Place {
    directory::Office office;
    std::unique_ptr<admin::Organisation> organisation = admin::Organisation::open(office.store).value();
    app::EnrolmentRoster roster{*office.directory, *organisation, office.clock};
    const UserId anna = office.person(1);

    Handset approved() {
        Handset out{anna, directory::key_pair(90), {}};
        out.cert =
            roster.draft(anna, out.key.public_key, DeviceRole::service, Admission::approved, 1, office.clock.time)
                .value();
        out.cert.self_signature = sign_cert_self(out.key.secret, out.cert.body());
        std::tie(out.cert.voucher, out.cert.voucher_signature) = roster.approve(out.cert);
        return out;
    }
};

}  // namespace

TEST_CASE("a first device by code, a further one by voucher, and one after the loss of all by an administrator") {
    Place p;
    CHECK(p.roster.next_admission(p.anna) == Admission::first);
    const auto phone = p.office.enrol(p.anna);
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
    const auto tablet = p.office.enrol(p.anna, &phone);
    REQUIRE(p.office.directory->revoke(phone.cert.device, RevokeReason::lost));
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
    REQUIRE(p.office.directory->suspend(tablet.cert.device));
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
    REQUIRE(p.office.directory->revoke(tablet.cert.device, RevokeReason::stolen));
    CHECK(p.roster.next_admission(p.anna) == Admission::approved);
}

TEST_CASE("where policy wants it, an administrator lets each further device in") {
    Place p;
    const app::EnrolmentRoster strict(*p.office.directory, *p.organisation, p.office.clock, true);
    CHECK(strict.next_admission(p.anna) == Admission::first);
    (void)p.office.enrol(p.anna);
    CHECK(strict.next_admission(p.anna) == Admission::approved);
}

TEST_CASE("a device past its dates vouches for nobody, one before its dates will") {
    Place p;
    auto phone = p.office.draft(p.anna);
    phone.cert.not_before += kHour;
    phone.cert.self_signature = sign_cert_self(phone.key.secret, phone.cert.body());
    REQUIRE(p.roster.certify(phone.cert));
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
    p.office.clock.time = phone.cert.not_after - 1;
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
    p.office.clock.time = phone.cert.not_after;
    CHECK(p.roster.next_admission(p.anna) == Admission::approved);
}

TEST_CASE("an approved device enters with the administrator's signature, and an agent believes the entry") {
    Place p;
    const auto phone = p.office.enrol(p.anna);
    REQUIRE(p.office.directory->revoke(phone.cert.device, RevokeReason::lost));
    auto forged = p.approved();
    forged.cert.voucher_signature.bytes[7] ^= 1;
    CHECK(p.roster.certify(forged.cert).error().code == Errc::proof_invalid);
    auto self_made = p.approved();
    self_made.cert.voucher = phone.cert.device;
    self_made.cert.voucher_signature = sign_cert_voucher_device(phone.key.secret, self_made.cert.body());
    CHECK(p.roster.certify(self_made.cert).error().code == Errc::proof_invalid);

    const auto fresh = p.approved();
    REQUIRE(p.roster.certify(fresh.cert));
    CHECK(p.office.directory->admit(fresh.cert.device).value() == p.anna);
    directory::Client client(p.office);
    CHECK(client.look_up(p.anna));
    CHECK(p.roster.next_admission(p.anna) == Admission::vouched);
}

TEST_CASE("who is shut out is unknown to enrolment, gets no certificate for what had begun before, and comes back") {
    Place p;
    const auto row = store::Batch({store::Family::audit, "log"});
    REQUIRE(p.organisation->create("Polizei", "polizei.example", row));
    CHECK(p.roster.find(directory::Office::address(1)) == p.anna);
    const auto begun = p.office.draft(p.anna);
    REQUIRE(p.office.directory->set_closed(p.anna, true));
    CHECK_FALSE(p.roster.find(directory::Office::address(1)));
    CHECK(p.roster.certify(begun.cert).error().code == Errc::forbidden);
    p.office.reopen();
    CHECK(p.office.directory->closed(p.anna));
    CHECK(p.office.directory->certify(begun.cert).error().code == Errc::forbidden);
    REQUIRE(p.office.directory->set_closed(p.anna, false));
    CHECK(p.office.directory->certify(begun.cert));
    CHECK(p.office.directory->set_closed(UserId{}, true).error().code == Errc::not_found);
}
