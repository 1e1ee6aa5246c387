// The hold counts from the issue of a certificate, however late vouchers, approvals and the device itself are.
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway::enrolment;
using namespace nimes::gateway::enrolment::test;

namespace {

constexpr Millis kHold = 15 * kMinute;

DeviceCert cert_of(const Bytes& body) { return DeviceCert::parse_body(body).value(); }

// Anna's phone is a device; her tablet has begun, signed, and waits.
struct Second {
    World w;
    const SigningKeyPair phone = key_pair(1), tablet = key_pair(2);
    const DeviceCert first;
    Offer offer;

    explicit Second(Millis hold = kHold) : first(enrol_first(hold)) {
        offer = w.begin(kAnna, w.ask(kAnna), tablet).value();
        REQUIRE(finish().waiting_for == Errc::voucher_needed);
    }
    DeviceCert enrol_first(Millis hold) {
        w.policy.device_hold = hold;
        w.open();
        return w.enrol_first(kAnna, phone);
    }
    Outcome finish() { return w.finish(offer, tablet).value(); }
    void vouch() {
        const auto body = w.room->pending(first.user)->at(0);
        REQUIRE(w.room->vouch(first.user, first.device, cert_of(body).device,
                              sign_cert_voucher_device(phone.secret, body)));
    }
};

}  // namespace

TEST_CASE("a voucher within half the hold serves the body as it was drafted") {
    Second s;
    s.w.clock.time += kHold / 2;
    s.vouch();
    const auto done = s.finish();
    REQUIRE(done.certificate);
    CHECK(done.certificate->not_before == kStart + kHold);
}

TEST_CASE("after half the hold the body is drafted anew, and both sign again") {
    Second s;
    s.w.clock.time += kHold / 2 + 1;
    s.vouch();
    const auto late = s.finish();
    CHECK_FALSE(late.certificate);
    CHECK_FALSE(late.waiting_for);
    REQUIRE(late.body.size() == DeviceCert::kBody);
    CHECK(cert_of(late.body).not_before == s.w.clock.time + kHold);
    CHECK(s.w.room->pending(s.first.user)->empty());  // not before the tablet has signed it

    s.w.open();
    CHECK(s.finish().body == late.body);  // the old signature again
    s.offer.body = late.body;
    CHECK(s.finish().waiting_for == Errc::voucher_needed);
    CHECK(*s.w.room->pending(s.first.user) == std::vector<Bytes>{late.body});
    s.vouch();
    const auto done = s.finish();
    REQUIRE(done.certificate);
    CHECK(done.certificate->not_before == s.w.clock.time + kHold);
}

TEST_CASE("a device that holds its voucher back does not wait the hold out beforehand") {
    Second s;
    s.vouch();
    s.w.clock.time += kHold;
    const auto late = s.finish();
    CHECK_FALSE(late.certificate);
    CHECK(cert_of(late.body).not_before == s.w.clock.time + kHold);
}

TEST_CASE("a certificate that was issued is repeated as it is, however late") {
    Second s;
    s.vouch();
    const auto done = s.finish();
    REQUIRE(done.certificate);
    s.w.clock.time += 2 * kHold;
    CHECK(s.finish().certificate->encode() == done.certificate->encode());
}

TEST_CASE("a crash between the certificate and the note of it does not draft anew") {
    Second s;
    s.vouch();
    auto probe = s.w.store.scan({gateway::store::Family::enrolment, "tickets"}, "", "", 10).value();
    const auto done = s.finish();
    REQUIRE(done.certificate);
    gateway::store::Batch before({gateway::store::Family::enrolment, "tickets"});
    for (const auto& row : probe) before.put(row.key, row.value);
    REQUIRE(s.w.store.commit(before, gateway::store::Sync::yes));
    s.w.clock.time += 2 * kHold;
    const auto again = s.finish();
    REQUIRE(again.certificate);
    CHECK(again.certificate->encode() == done.certificate->encode());
}

TEST_CASE("without a hold nothing is drafted anew") {
    Second s(0);
    s.w.clock.time += kHour;
    s.vouch();
    const auto done = s.finish();
    REQUIRE(done.certificate);
    CHECK(done.certificate->not_before == kStart);
}

TEST_CASE("an approval of hours ago still counts: only the device signs again") {
    World w;
    const auto phone = key_pair(1), fresh = key_pair(2);
    const auto first = w.enrol_first(kAnna, phone);
    w.roster.all_lost[first.user] = true;
    auto offer = w.begin(kAnna, w.ask(kAnna), fresh).value();
    REQUIRE(w.finish(offer, fresh)->waiting_for == Errc::approval_needed);
    w.clock.time += 5 * kHour;
    REQUIRE(w.room->approve(cert_of(offer.body).device));
    const auto late = w.finish(offer, fresh);
    REQUIRE(late);
    CHECK_FALSE(late->certificate);
    offer.body = late->body;
    const auto done = w.finish(offer, fresh);
    REQUIRE(done);
    REQUIRE(done->certificate);
    CHECK(done->certificate->not_before == w.clock.time + kHold);
}

TEST_CASE("an approval does not outlive a change of the person's devices") {
    World w;
    const auto phone = key_pair(1), fresh = key_pair(2);
    const auto first = w.enrol_first(kAnna, phone);
    w.roster.all_lost[first.user] = true;
    auto offer = w.begin(kAnna, w.ask(kAnna), fresh).value();
    REQUIRE(w.finish(offer, fresh)->waiting_for == Errc::approval_needed);
    REQUIRE(w.room->approve(cert_of(offer.body).device));
    ++w.roster.seq[first.user];
    offer.body = w.finish(offer, fresh)->body;
    CHECK(w.finish(offer, fresh)->waiting_for == Errc::approval_needed);
}

TEST_CASE("who loses the last device while a further one waits needs an administrator from then on") {
    Second s;
    s.w.roster.all_lost[s.first.user] = true;
    s.offer.body = s.finish().body;
    REQUIRE(s.offer.body.size() == DeviceCert::kBody);
    CHECK(cert_of(s.offer.body).admission == Admission::approved);
    CHECK(s.finish().waiting_for == Errc::approval_needed);
    REQUIRE(s.w.room->waiting()->size() == 1);
    REQUIRE(s.w.room->approve(cert_of(s.offer.body).device));
    CHECK(s.finish().certificate);
}
