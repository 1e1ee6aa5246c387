// Is the own entry as it should be? Each answer is given for its own reason only.
#include "directory/own_entry.hpp"

#include <catch2/catch.hpp>

#include "unit/schemas/identity_fixture.hpp"

using namespace nimes;
using namespace nimes::agent::directory;

namespace {

struct Own {
    test::Organisation org;
    UserId user = test::user(1);
    SigningKeyPair key = test::key_pair(11), other_key = test::key_pair(12);
    DeviceCert mine = test::certify(org, user, key, 1);
    DeviceCert other = test::certify(org, user, other_key, 2, Admission::vouched, &key);

    DirectoryEntry entry(std::vector<DeviceCert> certs, std::vector<DeviceRevoke> revokes = {}) const {
        return parse_entry(user, test::records(std::move(certs), std::move(revokes)), org.keys).value();
    }
};

}  // namespace

TEST_CASE("an own entry in order raises nothing") {
    Own own;
    const auto verdict = check_own_entry(own.entry({own.mine, own.other}), own.mine, {own.other.device});
    CHECK_FALSE(verdict.missing);
    CHECK(verdict.revoked == nullptr);
    CHECK(verdict.unknown.empty());
}

TEST_CASE("the own certificate must be there byte for byte") {
    Own own;
    const auto later = test::certify(own.org, own.user, own.key, 3);
    CHECK(check_own_entry(own.entry({later}), own.mine, {}).missing);
    auto elsewhere = test::certify(own.org, own.user, own.other_key, 2);
    CHECK(check_own_entry(own.entry({elsewhere}), own.mine, {elsewhere.device}).missing);
}

TEST_CASE("a revocation counts for the device that it names") {
    Own own;
    const std::set<DeviceId> known{own.other.device};
    const auto of_other =
        own.entry({own.mine, own.other}, {test::revoke_by_admin(own.org, own.user, own.other.device, 3)});
    CHECK(check_own_entry(of_other, own.mine, known).revoked == nullptr);
    const auto of_mine =
        own.entry({own.mine, own.other}, {test::revoke_by_admin(own.org, own.user, own.mine.device, 3)});
    const auto verdict = check_own_entry(of_mine, own.mine, known);
    REQUIRE(verdict.revoked != nullptr);
    CHECK(verdict.revoked->device == own.mine.device);
    CHECK_FALSE(verdict.missing);
}

TEST_CASE("a device never heard of is named, revoked or not; a known one is not") {
    Own own;
    const auto entry = own.entry({own.mine, own.other});
    const auto verdict = check_own_entry(entry, own.mine, {});
    REQUIRE(verdict.unknown.size() == 1);
    CHECK(verdict.unknown[0]->device == own.other.device);
    const auto revoked =
        own.entry({own.mine, own.other}, {test::revoke_by_admin(own.org, own.user, own.other.device, 3)});
    CHECK(check_own_entry(revoked, own.mine, {}).unknown.size() == 1);
}
