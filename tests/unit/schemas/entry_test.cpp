#include "nimes/entry.hpp"

#include <catch2/catch.hpp>

#include "identity_fixture.hpp"

using namespace nimes;
using namespace nimes::test;

TEST_CASE("an entry of three devices parses, and each rule refuses what it guards", "[entry]") {
    const Organisation org;
    const auto who = user(9);
    const auto a = key_pair(11), b = key_pair(12), c = key_pair(13);
    const auto first = certify(org, who, a, 1);
    const auto vouched = certify(org, who, b, 2, Admission::vouched, &a);
    const auto approved = certify(org, who, c, 3, Admission::approved);

    auto entry = parse_entry(who, records({first, vouched, approved}), org.keys);
    REQUIRE(entry);
    CHECK(entry->active_devices(kNow).size() == 3);
    CHECK(entry->next_seq() == 4);
    CHECK(entry->records() == records({first, vouched, approved}));

    SECTION("two first devices") { CHECK_FALSE(parse_entry(who, records({first, certify(org, who, b, 2)}), org.keys)); }
    SECTION("a number used twice") {
        CHECK_FALSE(parse_entry(who, records({first, certify(org, who, c, 1, Admission::approved)}), org.keys));
    }
    SECTION("two devices that vouch for each other") {
        CHECK_FALSE(parse_entry(who, records({certify(org, who, a, 1, Admission::vouched, &b), vouched}), org.keys));
    }
    SECTION("a voucher from outside the entry") { CHECK_FALSE(parse_entry(who, records({vouched}), org.keys)); }
    SECTION("another user's certificate") { CHECK_FALSE(parse_entry(user(8), records({first}), org.keys)); }
    SECTION("an authority that is not pinned") {
        auto keys = org.keys;
        keys.ea = key_pair(99).public_key;
        CHECK_FALSE(parse_entry(who, records({first}), keys));
    }
    SECTION("another organisation") {
        auto keys = org.keys;
        keys.org = org_id("feuerwehr-test");
        CHECK_FALSE(parse_entry(who, records({first}), keys));
    }
    SECTION("an administrator that is not pinned") {
        auto keys = org.keys;
        keys.administrators = {key_pair(98).public_key};
        CHECK_FALSE(parse_entry(who, records({first, approved}), keys));
    }
    SECTION("records out of order") {
        auto rows = records({first, vouched});
        std::swap(rows[0], rows[1]);
        CHECK_FALSE(parse_entry(who, rows, org.keys));
    }
    SECTION("any flipped bit of any record") {
        const auto good = records({first, vouched});
        for (std::size_t r = 0; r < good.size(); ++r)
            for (std::size_t i = 0; i < good[r].size(); ++i) {
                auto bad = good;
                bad[r][i] ^= static_cast<std::uint8_t>(1U << (i % 8));
                REQUIRE_FALSE(parse_entry(who, bad, org.keys));
            }
    }
}

TEST_CASE("a revoked device is not active, and a revocation is never unseen", "[entry]") {
    const Organisation org;
    const auto who = user(9);
    const auto a = key_pair(11), b = key_pair(12);
    const auto first = certify(org, who, a, 1);
    const auto vouched = certify(org, who, b, 2, Admission::vouched, &a);
    const auto shut = revoke_by_admin(org, who, vouched.device, 3);
    const auto before = parse_entry(who, records({first, vouched}), org.keys).value();
    const auto after = parse_entry(who, records({first, vouched}, {shut}), org.keys).value();

    CHECK(before.active(vouched.device, kNow));
    CHECK_FALSE(after.active(vouched.device, kNow));
    CHECK(after.active(first.device, kNow));
    CHECK_FALSE(after.active(first.device, kNow + 366 * kDay));
    CHECK_FALSE(after.active(first.device, kNow - 2 * kDay));
    CHECK(check_successor(before, after, kNow));
    CHECK_FALSE(check_successor(after, before, kNow));
    CHECK_FALSE(check_successor(before, parse_entry(who, records({first}), org.keys).value(), kNow));

    SECTION("a device revoked before cannot revoke another") {
        DeviceRevoke late;
        late.user = who;
        late.device = first.device;
        late.actor = vouched.device;
        late.effective = kNow;
        late.seq = 4;
        late.signature = sign_revoke_device(b.secret, late.body());
        CHECK_FALSE(parse_entry(who, records({first, vouched}, {shut, late}), org.keys));
        late.seq = 3;
        late.signature = sign_revoke_device(b.secret, late.body());
        auto earlier = revoke_by_admin(org, who, vouched.device, 4);
        CHECK(parse_entry(who, records({first, vouched}, {earlier, late}), org.keys));
    }
}

TEST_CASE("heads advance only along one history", "[head]") {
    const Organisation org;
    MerkleLog log;
    std::vector<DirectoryHead> heads;
    for (std::uint64_t r = 1; r <= 20; ++r) {
        DirectoryHead h;
        h.revision = r;
        h.ts = kNow + r;
        h.map_root = sha256({Bytes{static_cast<std::uint8_t>(r)}});
        h.log_root = log.root(r - 1);
        heads.push_back(sign_head(h, org.directory.secret, org.keys.org));
        log.append(heads.back().hash());
    }
    const auto proof = [&](std::uint64_t a, std::uint64_t b) {
        return HeadProof{log.consistency(a - 1, b - 1), b > a ? log.inclusion(a - 1, b - 1) : std::vector<Digest>{}};
    };
    const auto& key = org.keys.directory;
    for (std::uint64_t a = 1; a <= 20; ++a)
        for (std::uint64_t b = a; b <= 20; ++b) {
            CHECK(check_advance(heads[a - 1], heads[b - 1], proof(a, b), key, org.keys.org, kNow));
            if (b > a) {
                CHECK(check_old_head(heads[a - 1], heads[b - 1], log.inclusion(a - 1, b - 1), key, org.keys.org));
                CHECK_FALSE(check_advance(heads[b - 1], heads[a - 1], proof(a, b), key, org.keys.org, kNow));
                if (b > 2)  // one head proves the second without a single hash
                    CHECK_FALSE(check_advance(heads[a - 1], heads[b - 1], {}, key, org.keys.org, kNow));
            }
        }
    auto other = heads[4];
    other.map_root.bytes[0] ^= 1;
    other = sign_head(other, org.directory.secret, org.keys.org);
    CHECK(check_advance(heads[4], other, {}, key, org.keys.org, kNow).error().code == Errc::directory_fork);
    CHECK(check_advance(other, heads[9], proof(5, 10), key, org.keys.org, kNow).error().code == Errc::directory_fork);
    CHECK(check_advance(heads[0], heads[1], proof(1, 2), key_pair(50).public_key, org.keys.org, kNow).error().code ==
          Errc::signature_invalid);
    CHECK_FALSE(check_advance(heads[0], heads[1], proof(1, 2), key, org.keys.org, kNow - kHour));
    CHECK(DirectoryHead::parse(heads[3].encode()).value() == heads[3]);
}
