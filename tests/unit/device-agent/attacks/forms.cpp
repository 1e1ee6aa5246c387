// Attacks by taking one thing for another (FORMATS.md 2.14).
#include "nimes/control.hpp"
#include "nimes/label.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

TEST_CASE("signature key reuse, cross-protocol") {
    // One identity key signs records of many kinds; what it said for one use is worth nothing for another.
    const auto key = test::key_pair(11);
    const std::string_view labels[] = {
        label::kCertSelf,   label::kCertVoucher, label::kRevoke,        label::kSealKey,          label::kGrantSig,
        label::kMessageSig, label::kToken,       label::kKeyRequest,    label::kPerson,           label::kHistoryOffer,
        label::kMirror,     label::kProvision,   label::kDirectoryHead, label::kConversationEvent};
    const auto bytes = as_bytes("the very same bytes");
    for (const auto made_for : labels) {
        const auto signature = sign(key.secret, made_for, {bytes});
        for (const auto used_for : labels)
            CHECK(verify(key.public_key, signature, used_for, {bytes}) == (made_for == used_for));
    }
    // Nor does an organisation key's word count in another organisation.
    const test::Organisation org;
    const auto person = test::user(1);
    auto cert = test::certify(org, person, key, 1);
    REQUIRE(verify_cert_ea(cert, org.keys.org, org.ea.public_key));
    CHECK_FALSE(verify_cert_ea(cert, org_id("another force"), org.ea.public_key));
}

TEST_CASE("protocol confusion (CVE-2022-39251 kind)") {
    // The type byte picks the one parser: nothing of one type is ever read as another.
    Pair p;
    auto sending = p.chain();
    auto chain = p.receive(p.grant(sending));
    auto message = p.message(sending, 1);
    auto grant = p.grant(sending);
    auto request = seal_control(ControlType::key_request, p.bernd_cert.device, p.bernd_keys[0].record.key_id,
                                p.bernd_keys[0].record.key, KeyRequest{}.encode());
    REQUIRE(WireMessage::parse(message));
    REQUIRE(GrantUpload::parse(grant));
    REQUIRE(SealedControl::parse(request));
    for (int type = 0; type < 256; ++type) {
        message[0] = grant[0] = request[0] = static_cast<std::uint8_t>(type);
        CHECK(WireMessage::parse(message).has_value() == (type == 2));
        CHECK(GrantUpload::parse(grant).has_value() == (type == 1));
        CHECK(SealedControl::parse(request).has_value() == (type == 3));
    }
}

TEST_CASE("backup leakage") {
    // No key leaves for a backup. What leaves for a new device by hand lives an hour, and comes from the device that
    // both screens showed.
    const auto old_device = test::key_pair(11), other = test::key_pair(12);
    HistoryOffer offer;
    offer.issued = test::kNow;
    offer.expires = test::kNow + kHour;
    offer.signature = sign_history_offer(old_device.secret, offer.body());
    REQUIRE(HistoryOffer::parse(offer.encode()));
    CHECK(verify_history_offer(offer, old_device.public_key));
    CHECK_FALSE(verify_history_offer(offer, other.public_key));
    auto longer = HistoryOffer::parse(offer.encode()).value();
    longer.expires = test::kNow + kHour + 1;
    longer.signature = sign_history_offer(old_device.secret, longer.body());
    CHECK_FALSE(HistoryOffer::parse(longer.encode()));
    // And who is granted a chain late, a new device too, gets none of its earlier keys.
    Pair p;
    auto sending = p.chain();
    const auto before = p.message(sending, 1);
    const auto late = p.receive(p.grant(sending));
    CHECK_FALSE(open_message(late, before));
    CHECK(open_message(late, p.message(sending, 2)));
}

TEST_CASE("harvest now, decrypt later") {
    // Suite 2 is reserved: nothing of it is taken for suite 1, so that nobody is talked out of a better one later.
    Pair p;
    auto sending = p.chain();
    const auto chain = p.receive(p.grant(sending));
    auto grant = p.grant(sending);
    auto message = p.message(sending, 1);
    REQUIRE(open_grant(grant, p.finder()));
    REQUIRE(open_message(chain, message));
    grant[2] = message[2] = 2;
    CHECK_FALSE(open_grant(grant, p.finder()));
    CHECK_FALSE(open_message(chain, message));
    CHECK_FALSE(MessageHeader::parse(ByteView(message).first(MessageHeader::kBytes)));
    auto key = p.bernd_keys[0].record.encode();
    key[5] = 2;
    CHECK_FALSE(SealKey::parse(key));
}
