#include <catch2/catch.hpp>

#include "golden.hpp"
#include "nimes/wipe.hpp"

using namespace nimes;
using namespace nimes::test;

TEST_CASE("golden: a wipe order that is obeyed, forged ones, the receipt", "[vectors]") {
    const auto v = golden("wipe.json");
    const auto people = golden("identity.json");
    const auto& seeds = people["seeds"];
    const OrgKeys keys{org_id(people["organisation"].get<std::string>()),
                       seeded(seeds["ea"]).public_key,
                       seeded(seeds["directory"]).public_key,
                       {seeded(seeds["administrator"]).public_key}};
    const auto user = id<UserId>(v["user"]);
    const auto device = id<DeviceId>(v["device"]);
    const auto now = v["now"].get<Millis>();

    auto order = WipeOrder::parse(bytes(v["order"])).value();
    CHECK(order.encode() == bytes(v["order"]));
    CHECK(judge_wipe(order, user, device, keys, now));
    CHECK(judge_wipe(order, user, id<DeviceId>(people["device_b"]), keys, now).error().code == Errc::forbidden);
    CHECK(judge_wipe(order, UserId{}, device, keys, now).error().code == Errc::forbidden);
    CHECK(judge_wipe(order, user, device, keys, order.expires).error().code == Errc::forbidden);
    CHECK(judge_wipe(order, user, device, keys, order.issued - WipeOrder::kSlack));
    CHECK(judge_wipe(order, user, device, keys, order.issued - WipeOrder::kSlack - 1).error().code == Errc::forbidden);
    for (const auto& forged : v["forged"]) {
        INFO(forged["why"].get<std::string>());
        const auto other = WipeOrder::parse(bytes(forged["order"])).value();
        CHECK(judge_wipe(other, user, device, keys, now).error().code == Errc::signature_invalid);
    }
    order.sign(seeded(seeds["administrator"]), seeded(seeds["directory"]).secret, keys.org);
    CHECK(order.encode() == bytes(v["order"]));

    auto receipt = WipeReceipt::parse(bytes(v["receipt"])).value();
    CHECK(receipt.encode() == bytes(v["receipt"]));
    CHECK(receipt.verify(seeded(seeds["a"]).public_key));
    CHECK_FALSE(receipt.verify(seeded(seeds["b"]).public_key));
    receipt.sign(seeded(seeds["a"]).secret);
    CHECK(receipt.encode() == bytes(v["receipt"]));
}
