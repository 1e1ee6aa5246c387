#include "nimes/token.hpp"

#include <catch2/catch.hpp>

#include "identity_fixture.hpp"
#include "nimes/encoding.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/service_address.hpp"
#include "nimes/topics.hpp"

using namespace nimes;
using namespace nimes::test;

TEST_CASE("a token opens one door, for its time, with its key", "[token]") {
    SystemRandom random;
    const auto ik = key_pair(5);
    const auto device = device_id(user(1), ik.public_key);
    const auto here = audience_of("mqtts://broker.example:8883").value();
    const auto text = mint_token(ik.secret, device, here, kNow, random);
    REQUIRE(text.size() == Token::kText);
    const auto token = Token::parse(text).value();
    CHECK(token.device == device);
    CHECK(token.check(ik.public_key, here, kNow + 120'000, Token::kBrokerWindow));
    CHECK(token.check(ik.public_key, here, kNow - 120'000, Token::kBrokerWindow));
    CHECK(token.check(ik.public_key, here, kNow + 120'001, Token::kBrokerWindow).error().code == Errc::token_expired);
    CHECK(token.check(ik.public_key, here, kNow - 120'001, Token::kBrokerWindow).error().code == Errc::token_expired);
    CHECK_FALSE(token.check(key_pair(6).public_key, here, kNow, Token::kBrokerWindow));
    CHECK_FALSE(
        token.check(ik.public_key, audience_of("https://broker.example:8883").value(), kNow, Token::kBrokerWindow));
    const auto bytes = from_base64url(text).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto bad = bytes;
        bad[i] ^= 1;
        const auto parsed = Token::parse(to_base64url(bad));
        CHECK_FALSE((parsed && parsed->check(ik.public_key, here, kNow, Token::kBrokerWindow)));
    }
    for (const auto* bad :
         {"mqtts://Broker:1", "mqtts://b", "mqtts://b:0", "mqtts://b:70000", "mqtts://b:1/", "tcp://b:1", ""})
        CHECK_FALSE(audience_of(bad));
}

TEST_CASE("seal keys, persons, provisioning files, mirror parts and presence accept one encoding", "[records]") {
    const Organisation org;
    const auto ik = key_pair(5);
    SealKey k;
    k.device = device_id(user(1), ik.public_key);
    k.batch_no = utc_day(kNow);
    k.not_before = kNow / kDay * kDay;
    k.not_after = k.not_before + kDay;
    k.signature = sign_seal_key(ik.secret, k.body());
    CHECK(SealKey::parse(k.encode()).value() == k);
    CHECK(check_seal_key(k, ik.public_key, kNow));
    CHECK_FALSE(check_seal_key(k, key_pair(6).public_key, kNow));
    CHECK_FALSE(check_seal_key(k, ik.public_key, kNow - 2 * kDay));
    auto longer = k;
    longer.not_after += kDay;
    longer.signature = sign_seal_key(ik.secret, longer.body());
    CHECK_FALSE(check_seal_key(longer, ik.public_key, kNow));

    auto person = sign_person(org.ea.secret, org.keys.org, as_bytes("protobuf"));
    CHECK(as_text(open_person(org.ea.public_key, org.keys.org, person).value()) == "protobuf");
    for (auto& byte : person) {
        byte ^= 4;
        CHECK_FALSE(open_person(org.ea.public_key, org.keys.org, person));
        byte ^= 4;
    }

    ProvisioningFile file;
    file.bytes = to_bytes(as_bytes("provisioning"));
    file.add_seal(org.admin.secret, org.admin.public_key, org.keys.org);
    CHECK(ProvisioningFile::parse(file.encode()).value().sealed_by(org.keys.administrators, org.keys.org) == 1);
    file.bytes[0] ^= 1;
    CHECK(ProvisioningFile::parse(file.encode()).value().sealed_by(org.keys.administrators, org.keys.org) == 0);
    auto trailing = file.encode();
    trailing.push_back(0);
    CHECK_FALSE(ProvisioningFile::parse(trailing));

    MirrorPart part;
    part.org = org.keys.org;
    part.broker = "edge-1";
    part.issued = kNow;
    part.from = 3;
    part.to = 4;
    part.items = {{k.device, ik.public_key, MirrorState::revoked, 1, 2}};
    auto wire = part.encode_signed(org.directory.secret);
    CHECK(MirrorPart::open(wire, org.keys.directory, org.keys.org, "edge-1").value() == part);
    CHECK_FALSE(MirrorPart::open(wire, org.keys.directory, org.keys.org, "edge-2"));
    CHECK_FALSE(MirrorPart::open(wire, org.keys.directory, org_id("other"), "edge-1"));
    CHECK_FALSE(MirrorPart::open(wire, org.keys.ea, org.keys.org, "edge-1"));
    for (auto& byte : wire) {
        byte ^= 16;
        CHECK_FALSE(MirrorPart::open(wire, org.keys.directory, org.keys.org, "edge-1"));
        byte ^= 16;
    }

    const Presence presence{Presence::Kind::gone, k.device, 7, kNow};
    CHECK(Presence::parse(presence.encode()).value() == presence);
    CHECK(presence.encode().size() == Presence::kBytes);
    EdgeState state;
    state.wants_full = true;
    state.kicked = 3;
    CHECK(EdgeState::parse(state.encode()).value() == state);
    CHECK(state.encode().size() == EdgeState::kBytes);

    CHECK(topic::device_of_up(topic::up(k.device)).value() == k.device);
    for (const auto* bad :
         {"n/x/up", "n/+/up", "", "n/aaaaaaaaaaaaaaaaaaaaaaaaaa/down", "n/AAAAAAAAAAAAAAAAAAAAAAAAAA/up"})
        CHECK_FALSE(topic::device_of_up(bad));
}

TEST_CASE("certificates and revocations have one encoding each", "[device_record]") {
    const Organisation org;
    const auto ik = key_pair(5);
    const auto cert = certify(org, user(1), ik, 1);
    CHECK(cert.encode().size() == DeviceCert::kBytes);
    CHECK(DeviceCert::parse(cert.encode()).value() == cert);
    auto bytes = cert.encode();
    for (const std::size_t at : {4U, 5U, 6U, 7U}) {  // version, suite, role, flags
        auto bad = bytes;
        bad[at] = 200;
        CHECK_FALSE(DeviceCert::parse(bad));
    }
    bytes.push_back(0);
    CHECK_FALSE(DeviceCert::parse(bytes));
    const auto shut = revoke_by_admin(org, user(1), cert.device, 2);
    CHECK(DeviceRevoke::parse(shut.encode()).value() == shut);
    auto bad = shut.encode();
    bad[7] = 1;
    CHECK_FALSE(DeviceRevoke::parse(bad));
}
