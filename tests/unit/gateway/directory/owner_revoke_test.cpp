// A device revokes another one of its person, or itself: what is taken, what is refused, and that nothing moves then.
#include "directory/routes.hpp"
#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::directory;

namespace {

struct Owner {
    Office office;
    Handset phone = office.enrol(office.person(1));
    Handset tablet = office.enrol(phone.user, &phone);
    Handset stranger = office.enrol(office.person(2));
    std::vector<DeviceId> shut_out;

    Owner() {
        office.directory->observe({[] {}, [] {}, [this](const DeviceId& device) { shut_out.push_back(device); }});
    }
    // What `by` signs about `device` now.
    DeviceRevoke record(const Handset& by, const Handset& device, RevokeReason reason = RevokeReason::lost) const {
        DeviceRevoke out;
        out.reason = reason;
        out.user = device.user;
        out.device = device.cert.device;
        out.actor = by.cert.device;
        out.effective = office.clock.time;
        out.seq = 1;
        for (const auto& d : office.directory->devices(device.user)) {
            out.seq = std::max(out.seq, d.cert.seq + 1);
            if (d.revoke) out.seq = std::max(out.seq, d.revoke->seq + 1);
        }
        return signed_by(by, out);
    }
    static DeviceRevoke signed_by(const Handset& by, DeviceRevoke record) {
        record.signature = sign_revoke_device(by.key.secret, record.body());
        return record;
    }
    // The error, once it is certain that nothing has moved.
    Errc refused(const Handset& caller, const DeviceRevoke& record) {
        const auto before = office.directory->newest_head();
        const auto out = office.directory->revoke_own(caller.cert.device, record);
        REQUIRE_FALSE(out);
        CHECK(office.directory->newest_head().revision == before.revision);
        CHECK(office.directory->admit(record.device).has_value());
        CHECK(shut_out.empty());
        return out.error().code;
    }
};

}  // namespace

TEST_CASE("a device revokes another one of its person: out at once, for good, proven to agents") {
    Owner p;
    Client agent(p.office);
    REQUIRE(agent.look_up(p.phone.user));
    const auto record = p.record(p.phone, p.tablet, RevokeReason::stolen);
    REQUIRE(p.office.directory->revoke_own(p.phone.cert.device, record));
    CHECK(p.office.directory->admit(p.tablet.cert.device).error().code == Errc::device_revoked);
    CHECK(p.office.directory->admit(p.phone.cert.device));
    CHECK(p.shut_out == std::vector{p.tablet.cert.device});
    const auto entry = agent.look_up(p.phone.user).value();
    REQUIRE(entry->entry.revoke(p.tablet.cert.device) != nullptr);
    CHECK(*entry->entry.revoke(p.tablet.cert.device) == record);
    p.office.reopen();
    CHECK(p.office.directory->admit(p.tablet.cert.device).error().code == Errc::device_revoked);
}

TEST_CASE("the same record again answers the same, and nothing moves a second time") {
    Owner p;
    const auto record = p.record(p.phone, p.tablet);
    REQUIRE(p.office.directory->revoke_own(p.phone.cert.device, record));
    const auto revision = p.office.directory->newest_head().revision;
    p.office.clock.time += kDay;
    CHECK(p.office.directory->revoke_own(p.phone.cert.device, record));
    CHECK(p.office.directory->newest_head().revision == revision);
    CHECK(p.shut_out.size() == 1);
    // Another record about it is none: the first stands.
    CHECK(p.office.directory->revoke_own(p.phone.cert.device, p.record(p.phone, p.tablet)).error().code ==
          Errc::storage_conflict);
}

TEST_CASE("a device that is given back revokes itself, and hears of it even when it asks again") {
    Owner p;
    const auto record = p.record(p.tablet, p.tablet, RevokeReason::replaced);
    REQUIRE(p.office.directory->revoke_own(p.tablet.cert.device, record));
    CHECK(p.office.directory->admit(p.tablet.cert.device).error().code == Errc::device_revoked);
    CHECK(p.office.directory->revoke_own(p.tablet.cert.device, record));
}

TEST_CASE("nobody revokes another person's device") {
    Owner p;
    // In the stranger's own name, and in the name of the person it is about.
    CHECK(p.refused(p.stranger, p.record(p.stranger, p.phone)) == Errc::not_found);
    CHECK(p.refused(p.stranger, p.record(p.phone, p.tablet)) == Errc::forbidden);
    // The device of one, said to be the other's.
    auto moved = p.record(p.stranger, p.phone);
    moved.user = p.stranger.user;
    CHECK(p.refused(p.stranger, Owner::signed_by(p.stranger, moved)) == Errc::not_found);
    auto misnamed = p.record(p.phone, p.tablet);
    misnamed.user = p.stranger.user;
    CHECK(p.refused(p.phone, Owner::signed_by(p.phone, misnamed)) == Errc::not_found);
    auto unknown = p.record(p.phone, p.tablet);
    unknown.device = p.stranger.cert.device;
    CHECK(p.refused(p.phone, Owner::signed_by(p.phone, unknown)) == Errc::not_found);
}

TEST_CASE("a record is signed by the device that sends it") {
    Owner p;
    auto record = p.record(p.phone, p.tablet);
    record.signature.bytes[0] ^= 1;
    CHECK(p.refused(p.phone, record) == Errc::signature_invalid);
    CHECK(p.refused(p.phone, Owner::signed_by(p.tablet, p.record(p.phone, p.tablet))) == Errc::signature_invalid);
    CHECK(p.refused(p.phone, p.record(p.tablet, p.tablet)) == Errc::forbidden);
    auto administrator = p.record(p.phone, p.tablet);
    administrator.actor = key_actor(secrets().administrator.public_key);
    CHECK(p.refused(p.phone, Owner::signed_by(p.phone, administrator)) == Errc::forbidden);
}

TEST_CASE("who is out, or not in yet, revokes nobody") {
    Owner p;
    const auto late = p.office.enrol(p.phone.user, &p.phone);
    const auto record = p.record(p.tablet, late);
    REQUIRE(p.office.directory->suspend(p.tablet.cert.device));
    p.shut_out.clear();
    CHECK(p.refused(p.tablet, record) == Errc::device_suspended);
    REQUIRE(p.office.directory->resume(p.tablet.cert.device));
    REQUIRE(p.office.directory->revoke(p.tablet.cert.device, RevokeReason::stolen));
    p.shut_out.clear();
    CHECK(p.refused(p.tablet, p.record(p.tablet, late)) == Errc::device_revoked);
    p.office.clock.time = p.phone.cert.not_after;
    const auto before = p.office.directory->newest_head().revision;
    CHECK(p.office.directory->revoke_own(p.phone.cert.device, p.record(p.phone, late)).error().code ==
          Errc::device_unknown);
    CHECK(p.office.directory->newest_head().revision == before);
}

TEST_CASE("a revocation has the entry's next number, and is of now") {
    Owner p;
    for (const std::uint32_t seq : {0u, 1u, 2u, 4u, 0xffffffffu}) {
        auto record = p.record(p.phone, p.tablet);
        REQUIRE(record.seq == 3);
        record.seq = seq;
        CHECK(p.refused(p.phone, Owner::signed_by(p.phone, record)) == Errc::storage_conflict);
    }
    for (const Millis effective :
         {Millis{0}, kStart - 11 * kMinute, kStart + 11 * kMinute, ~Millis{0}, ~Millis{0} - kStart}) {
        auto record = p.record(p.phone, p.tablet);
        record.effective = effective;
        CHECK(p.refused(p.phone, Owner::signed_by(p.phone, record)) == Errc::malformed);
    }
    auto near = p.record(p.phone, p.tablet);
    near.effective += 9 * kMinute;
    CHECK(p.office.directory->revoke_own(p.phone.cert.device, Owner::signed_by(p.phone, near)));
}

TEST_CASE("the route takes one record, whole") {
    Owner p;
    http::Router router;
    add_routes(router, *p.office.directory);
    const auto ask = [&](const Bytes& record) {
        v1::Revocation body;
        body.set_record(std::string(as_text(record)));
        http::Request request;
        request.body = to_bytes(as_bytes(body.SerializeAsString()));
        request.caller = http::Caller{p.phone.user, p.phone.cert.device};
        const auto match = router.find(http::Method::post, "/v1/devices/revoke");
        REQUIRE(match.handler != nullptr);
        CHECK(match.access == http::Access::token);
        return (*match.handler)(request).status;
    };
    const auto record = p.record(p.phone, p.tablet).encode();
    CHECK(ask({}) == 400);
    CHECK(ask(Bytes(record.begin(), record.end() - 1)) == 400);
    auto longer = record;
    longer.push_back(0);
    CHECK(ask(longer) == 400);
    CHECK(p.office.directory->admit(p.tablet.cert.device));
    CHECK(ask(record) == 204);
    CHECK(ask(record) == 204);
    CHECK_FALSE(p.office.directory->admit(p.tablet.cert.device));
}
