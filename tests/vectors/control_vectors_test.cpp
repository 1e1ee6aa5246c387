#include <catch2/catch.hpp>

#include "forms.hpp"
#include "golden.hpp"
#include "nimes/control.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

// The record inside, and the header as we write it.
Bytes opened(const nlohmann::json& v, const nlohmann::json& sealed, ControlType type) {
    const auto wire = bytes(sealed["wire"]);
    const auto control = SealedControl::parse(wire).value();
    CHECK(control.type == type);
    CHECK(control.receiver == id<DeviceId>(golden("identity.json")["device_b"]));
    CHECK(control.key_id == 7);
    const auto key = id<SealPublicKey>(v["receiver_key"]);
    const SealSecretKey secret(bytes(v["receiver_secret"]));
    auto record = open_control(control, key, secret).value();
    const auto again = seal_control(type, control.receiver, control.key_id, key, record);
    CHECK(to_bytes(ByteView(again).first(SealedControl::kHeader)) == bytes(sealed["header"]));
    CHECK(again.size() == wire.size());
    return record;
}

}  // namespace

TEST_CASE("golden: key requests", "[vectors]") {
    const auto v = golden("control.json");
    const auto a = seeded(11);
    for (const auto* name : {"chain_request", "messages_request"}) {
        const auto request = KeyRequest::parse(bytes(v[name])).value();
        CHECK(request.encode() == bytes(v[name]));
        CHECK(verify_key_request(request, a.public_key));
        CHECK_FALSE(verify_key_request(request, seeded(12).public_key));
        CHECK(sign_key_request(a.secret, request.body()) == request.signature);
    }
    CHECK(KeyRequest::parse(bytes(v["chain_request"]))->kind == RequestKind::chain);
    CHECK(KeyRequest::parse(bytes(v["messages_request"]))->have_index == 17);
    CHECK(opened(v, v["sealed_request"], ControlType::key_request) == bytes(v["chain_request"]));
}

TEST_CASE("golden: a history offer and its code", "[vectors]") {
    const auto v = golden("control.json");
    const auto a = seeded(11);
    const auto offer = HistoryOffer::parse(bytes(v["history_offer"])).value();
    CHECK(offer.encode() == bytes(v["history_offer"]));
    CHECK(verify_history_offer(offer, a.public_key));
    CHECK_FALSE(verify_history_offer(offer, seeded(12).public_key));
    CHECK(sign_history_offer(a.secret, offer.body()) == offer.signature);
    const auto code = history_code(offer.old_device, offer.new_device, offer.new_cert);
    CHECK(code == id<Digest>(v["history_code"]));
    CHECK(history_code_text(code) == v["history_text"]);
    CHECK(opened(v, v["sealed_offer"], ControlType::history_offer) == bytes(v["history_offer"]));
}

TEST_CASE("golden: good records are taken as they are, each with one fault is refused", "[vectors]") {
    const auto v = golden("forms.json");
    std::size_t seen = 0;
    for (const auto& row : v["good"]) {
        INFO(row["form"]);
        const auto again = forms().at(row["form"].get<std::string>())(bytes(row["bytes"]));
        REQUIRE(again);
        CHECK(*again == bytes(row["bytes"]));
        ++seen;
    }
    CHECK(seen == forms().size());
    for (const auto& row : v["refused"]) {
        INFO(row["form"] << ": " << row["why"]);
        CHECK_FALSE(forms().at(row["form"].get<std::string>())(bytes(row["bytes"])));
    }
}
