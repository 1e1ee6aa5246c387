#include <catch2/catch.hpp>

#include "golden.hpp"
#include "nimes/directory_dump.hpp"
#include "nimes/entry.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/service_address.hpp"
#include "nimes/token.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

struct Identity {
    nlohmann::json v = golden("identity.json");
    SigningKeyPair ea = seeded(v["seeds"]["ea"]), directory = seeded(v["seeds"]["directory"]);
    SigningKeyPair admin = seeded(v["seeds"]["administrator"]), a = seeded(v["seeds"]["a"]),
                   b = seeded(v["seeds"]["b"]);
    OrgKeys keys{org_id(v["organisation"].get<std::string>()), ea.public_key, directory.public_key, {admin.public_key}};
    Millis now = v["now"];
    UserId user = id<UserId>(v["user"]);
};

}  // namespace

TEST_CASE("golden: ids, token and address", "[vectors]") {
    const Identity g;
    CHECK(g.keys.org == id<OrgId>(g.v["org"]));
    CHECK(device_id(g.user, g.a.public_key) == id<DeviceId>(g.v["device_a"]));
    const auto token = Token::parse(g.v["token"].get<std::string>()).value();
    const auto here = audience_of(g.v["token_audience"].get<std::string>()).value();
    CHECK(token.device == id<DeviceId>(g.v["device_a"]));
    CHECK(token.check(g.a.public_key, here, g.now, Token::kBrokerWindow));
    const auto address = ServiceAddress::parse(g.v["address"].get<std::string>()).value();
    CHECK(DeviceCert::parse(bytes(g.v["certs"][0]))->attest_hash == address.hash(bytes(g.v["address_secret"])));
}

TEST_CASE("golden: device records and their entry", "[vectors]") {
    const Identity g;
    std::vector<Bytes> records;
    for (const auto& c : g.v["certs"]) {
        records.push_back(bytes(c));
        CHECK(DeviceCert::parse(records.back())->encode() == records.back());
    }
    records.push_back(bytes(g.v["revoke"]));
    CHECK(DeviceRevoke::parse(records.back())->encode() == records.back());
    const auto entry = parse_entry(g.user, records, g.keys);
    REQUIRE(entry);
    CHECK(entry->active(id<DeviceId>(g.v["device_a"]), g.now));
    CHECK_FALSE(entry->active(id<DeviceId>(g.v["device_b"]), g.now));
    const auto approved = DeviceCert::parse(bytes(g.v["approved_cert"])).value();
    CHECK(verify_cert_voucher_admin(approved, g.keys.org, g.admin.public_key));
    // Ed25519 is deterministic: our signer must make the very bytes.
    auto again = approved;
    again.self_signature = sign_cert_self(g.b.secret, approved.body());
    again.ea_signature = sign_cert_ea(g.ea.secret, g.keys.org, approved.body());
    again.voucher_signature = sign_cert_voucher_admin(g.admin.secret, g.keys.org, approved.body());
    CHECK(again.encode() == bytes(g.v["approved_cert"]));
    const auto key = SealKey::parse(bytes(g.v["seal_key"])).value();
    CHECK(key.encode() == bytes(g.v["seal_key"]));
    CHECK(check_seal_key(key, g.a.public_key, g.now));
}

TEST_CASE("golden: signed protobuf, mirror, presence", "[vectors]") {
    const Identity g;
    CHECK(open_person(g.ea.public_key, g.keys.org, bytes(g.v["person"])));
    const auto policy = open_policy(g.keys.administrators, g.keys.org, bytes(g.v["policy"])).value();
    CHECK(sign_policy(g.admin, g.keys.org, policy) == bytes(g.v["policy"]));
    const auto file = ProvisioningFile::parse(bytes(g.v["provisioning"])).value();
    CHECK(file.encode() == bytes(g.v["provisioning"]));
    CHECK(file.sealed_by(g.keys.administrators, g.keys.org) == 1);
    const auto part = MirrorPart::open(bytes(g.v["mirror_part"]), g.keys.directory, g.keys.org, "edge-1").value();
    CHECK(part.encode_signed(g.directory.secret) == bytes(g.v["mirror_part"]));
    CHECK(Presence::parse(bytes(g.v["presence"]))->encode() == bytes(g.v["presence"]));
    CHECK(EdgeState::parse(bytes(g.v["edge_state"]))->encode() == bytes(g.v["edge_state"]));
}

TEST_CASE("golden: map and head log", "[vectors]") {
    const Identity g;
    const auto v = golden("directory.json");
    PrefixMap map;
    for (const auto& leaf : v["map"]["leaves"])
        map.put({static_cast<LeafKind>(leaf["kind"].get<int>()), bytes(leaf["content"])});
    const auto root = id<Digest>(v["map"]["root"]);
    CHECK(map.root() == root);
    CHECK(encode_path(map.path(g.user.bytes)) == bytes(v["map"]["path"]));
    for (const auto& absent : v["map"]["absent"]) {
        const auto key = id<UserId>(absent["key"]).bytes;
        CHECK(encode_absence(map.path(key)) == bytes(absent["proof"]));
        CHECK(verify_absence(key, parse_absence(bytes(absent["proof"])).value(), root));
    }
    std::vector<DirectoryHead> heads;
    MerkleLog log;
    for (const auto& h : v["heads"]) {
        heads.push_back(DirectoryHead::parse(bytes(h)).value());
        CHECK(verify_head(heads.back(), g.keys.directory, g.keys.org));
        CHECK(heads.back().log_root == log.root(heads.back().revision - 1));
        log.append(heads.back().hash());
    }
    Bytes dump = encode_dump_head(heads.back());
    std::optional<MapKey> last;
    while (const auto* leaf = map.after(last)) {
        const auto one = encode_dump_leaf(*leaf);
        dump.insert(dump.end(), one.begin(), one.end());
        last = leaf->key();
    }
    CHECK(dump == bytes(v["dump"]));
    DumpReader reader([](const MapLeaf&) -> Result<void> { return {}; });
    REQUIRE(reader.feed(dump));
    CHECK(reader.finish().value() == heads.back());
    std::vector<Bytes> records = {bytes(g.v["certs"][0]), bytes(g.v["certs"][1]), bytes(g.v["revoke"])};
    const auto entry = parse_entry(g.user, records, g.keys).value();
    CHECK(check_presence(entry, parse_path(bytes(v["map"]["path"])).value(), heads.back()));
    CHECK(check_address(entry, id<Digest>(v["map"]["attest_hash"]), parse_path(bytes(v["map"]["address_path"])).value(),
                        heads.back()));
}
