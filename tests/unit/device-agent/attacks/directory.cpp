// Attacks on who has which devices (FORMATS.md 2.14). The directory here is the attacker: it has its own key, and in
// some tests the enrolment authority's, too. Witnesses against a split view are of a later release.
#include "directory/own_entry.hpp"
#include "unit/device-agent/directory/fake_directory.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::directory;
using test::FakeDirectory;
using test::kNow;

namespace {

const UserId kAnna = test::user(1), kBernd = test::user(2);
constexpr const char* kAddressOfAnna = "anna@polizei.example";
constexpr const char* kAddressOfBernd = "bernd@polizei.example";

DirectoryEntry entry_of(const UserId& user, std::vector<DeviceCert> certs) {
    std::sort(certs.begin(), certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    return {user, std::move(certs), {}};
}

}  // namespace

TEST_CASE("server adds a device") {
    const test::Organisation org;
    const auto own = test::key_pair(11), eve = test::key_pair(66), mallory = test::key_pair(67);
    const auto annas = test::certify(org, kAnna, own, 1);
    const auto refused = [&](std::vector<DeviceCert> certs) {
        return !parse_entry(kAnna, test::records(std::move(certs)), org.keys);
    };
    REQUIRE_FALSE(refused({annas}));

    SECTION("without the enrolment authority's key") {
        test::Organisation server;
        server.ea = test::key_pair(99);
        auto invented = test::certify(server, kAnna, eve, 2, Admission::vouched, &own);
        invented.ea_key = key_id(org.ea.public_key);
        CHECK(refused({annas, invented}));
    }
    SECTION("with that key, but no voucher of Anna's") {
        auto invented = test::certify(org, kAnna, eve, 2, Admission::vouched, &own);
        invented.voucher_signature = sign_cert_voucher_device(eve.secret, invented.body());
        CHECK(refused({annas, invented}));
        CHECK(refused({annas, test::certify(org, kAnna, eve, 2)}));  // a second first device
    }
    SECTION("two invented devices that vouch for each other") {
        CHECK(refused({annas, test::certify(org, kAnna, eve, 2, Admission::vouched, &mallory),
                       test::certify(org, kAnna, mallory, 3, Admission::vouched, &eve)}));
    }
    SECTION("with every key: then its owner is told") {
        const auto invented = test::certify(org, kAnna, eve, 2, Admission::approved);
        const auto entry = parse_entry(kAnna, test::records({annas, invented}), org.keys).value();
        const auto verdict = check_own_entry(entry, annas, {annas.device});
        REQUIRE(verdict.unknown.size() == 1);
        CHECK(verdict.unknown[0]->device == invented.device);
    }
}

TEST_CASE("server answers with another person") {
    FakeDirectory directory;
    const auto anna = entry_of(kAnna, {directory.cert(kAnna, test::key_pair(11), 1, kAddressOfAnna)});
    const auto bernd = entry_of(kBernd, {directory.cert(kBernd, test::key_pair(12), 1, kAddressOfBernd)});
    const auto asked = directory.address(kAddressOfAnna);
    directory.put(anna);
    directory.put(bernd);
    // The map itself lies: it names Bernd for Anna's address, with a path that proves it.
    directory.map.put(address_leaf(asked, kBernd));
    directory.publish();
    auto client = directory.client();
    CHECK_FALSE(client.take_address(directory.by_address(bernd, asked), asked, kNow));
    CHECK(client.take_address(directory.by_address(bernd, directory.address(kAddressOfBernd)),
                              directory.address(kAddressOfBernd), kNow));
    // And asked for a user it cannot show another one's records.
    CHECK_FALSE(client.take_user(directory.entry_answer(bernd), kAnna, kNow));
}

TEST_CASE("two leaves for one user or address") {
    // A tree with two leaves for Anna, left and right under the root: one to show to herself, one to all others.
    const auto leaf = [](std::uint8_t n) { return user_leaf(kAnna, std::vector<Digest>{sha256({Bytes{n}})}); };
    const bool right = (kAnna.bytes[0] & 0x80) != 0;
    for (std::uint8_t n = 1; n < 40; ++n) {
        const auto honest = leaf(0), second = leaf(n);
        const ByteArray<1> inner{0x01};
        const auto root = right ? sha256({inner, second.hash().view(), honest.hash().view()})
                                : sha256({inner, honest.hash().view(), second.hash().view()});
        CHECK(verify_presence(honest, {{second.hash()}, {}}, root));
        CHECK_FALSE(verify_presence(second, {{honest.hash()}, {}}, root));
        // Nor is she proven absent by a leaf of her own.
        CHECK_FALSE(verify_absence(kAnna.bytes, {{second.hash()}, honest}, root));
    }
}

TEST_CASE("split view") {
    FakeDirectory directory;
    auto client = directory.client();
    for (int n = 0; n < 3; ++n) directory.publish();
    REQUIRE(client.take_head(directory.head_answer(1), kNow));
    const auto held = client.head();

    SECTION("two heads of one revision") {
        auto other = held;
        other.map_root.bytes[0] ^= 1;
        v1::HeadAnswer answer;
        answer.set_head(test::raw(directory.signed_head(other).encode()));
        const auto step = client.take_head(answer, kNow);
        CHECK(step.error().code == Errc::directory_fork);
        CHECK(client.forked());
    }
    SECTION("a later head of another history") {
        FakeDirectory other;
        other.map.put(user_leaf(kBernd, std::vector<Digest>{Digest{}}));
        while (other.heads.size() < 6) other.publish();
        const auto step = client.take_head(other.head_answer(held.revision), kNow);
        REQUIRE_FALSE(step);
        CHECK(step.error().code == Errc::directory_fork);
    }
    CHECK(client.head() == held);
}

TEST_CASE("un-revoking a device") {
    FakeDirectory directory;
    const auto key = test::key_pair(11);
    auto entry = entry_of(kAnna, {directory.cert(kAnna, key, 1, kAddressOfAnna)});
    const auto device = entry.certs[0].device;
    entry.revokes = {test::revoke_by_admin(directory.org, kAnna, device, 2)};
    directory.put(entry);
    directory.publish();
    auto client = directory.client();
    REQUIRE(client.take_user(directory.entry_answer(entry), kAnna, kNow));
    REQUIRE_FALSE(client.find(kAnna)->entry.active(device, kNow));

    // A newer map, signed and proven, in which it was never revoked; then one in which it never was.
    auto again = entry;
    again.revokes.clear();
    directory.put(again);
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(client.head().revision), kNow));
    CHECK_FALSE(client.take_user(directory.entry_answer(again), kAnna, kNow));
    CHECK_FALSE(client.find(kAnna)->entry.active(device, kNow));
    auto other = entry_of(kAnna, {directory.cert(kAnna, test::key_pair(12), 3, kAddressOfAnna)});
    directory.put(other);
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(client.head().revision), kNow));
    CHECK_FALSE(client.take_user(directory.entry_answer(other), kAnna, kNow));
    CHECK(client.find(kAnna)->entry.revoke(device) != nullptr);
}
