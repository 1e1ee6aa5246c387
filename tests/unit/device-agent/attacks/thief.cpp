// Attacks on the container by way of the gateway (FORMATS.md 2.14).
#include "nimes/label.hpp"
#include "nimes/wipe.hpp"
#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using namespace nimes::agent::container;

namespace {

constexpr std::string_view kPassphrase = "korrekt pferd batterie";
const LeaseTerms kMemoryOnly{12 * kHour, false};

SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

Share share_of(std::uint8_t byte) {
    ByteArray<32> bytes{};
    bytes.fill(byte);
    return {1, Secret<32>(ByteView(bytes))};
}

// A handset that needs the share 5, open, with something to read in it.
std::unique_ptr<Container> handset(Home& home, const LeaseTerms& terms) {
    auto container = home.create(kPassphrase);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    REQUIRE(container->set_door(door));
    store(*container, Table::messages, 1, "kept");
    REQUIRE(container->adopt_share(share_of(5), terms));
    return container;
}

}  // namespace

TEST_CASE("stolen wipe order, planted share") {
    const auto admin = key_pair(3), directory = key_pair(2), stranger = key_pair(8), identity = key_pair(11);
    const OrgKeys keys{org_id("polizei-test"), key_pair(1).public_key, directory.public_key, {admin.public_key}};
    SystemRandom random;
    const auto user = random.id<UserId>();
    const auto device = device_id(user, identity.public_key);
    const Millis now = 1'780'000'000'000;
    WipeOrder order;
    order.user = user;
    order.device = device;
    order.id = random.id<WipeOrderId>();
    order.issued = now;
    order.expires = now + kDay;
    order.sign(admin, directory.secret, keys.org);
    REQUIRE(judge_wipe(order, user, device, keys, now));
    const auto refused = [&](const WipeOrder& o, Millis at) { return !judge_wipe(o, user, device, keys, at); };

    // Another device's, in form and in signature right.
    const auto other = device_id(user, stranger.public_key);
    CHECK_FALSE(judge_wipe(order, user, other, keys, now));
    CHECK_FALSE(judge_wipe(order, random.id<UserId>(), device, keys, now));
    // Kept for another day.
    CHECK(refused(order, order.expires));
    CHECK(refused(order, now - WipeOrder::kSlack - 1));
    // By an administrator alone, by the gateway alone, by somebody else.
    auto forged = order;
    forged.sign(admin, admin.secret, keys.org);
    CHECK(refused(forged, now));
    forged.sign(directory, directory.secret, keys.org);
    CHECK(refused(forged, now));
    forged.sign(stranger, directory.secret, keys.org);
    CHECK(refused(forged, now));
    forged = order;
    forged.administrator_signature = {};
    forged.directory_signature = sign(directory.secret, label::kWipeGateway,
                                      {keys.org.view(), ByteView(forged.encode()).first(WipeOrder::kApproved)});
    CHECK(refused(forged, now));
    // Any byte changed.
    const auto bytes = order.encode();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] ^= 1U;
        const auto read = WipeOrder::parse(changed);
        CHECK((!read || refused(*read, now)));
    }

    // A server that hands out another share neither opens nor breaks anything.
    Home home;
    handset(home, kMemoryOnly).reset();
    auto container = home.open();
    REQUIRE(container->unlock(text(kPassphrase)));
    CHECK(container->open_with(share_of(6), kMemoryOnly).error().code == Errc::proof_invalid);
    CHECK(container->state() == State::door);
    REQUIRE(container->open_with(share_of(5), kMemoryOnly));
    CHECK(load(*container, Table::messages, 1) == "kept");
}
