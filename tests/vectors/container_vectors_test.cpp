#include <catch2/catch.hpp>

#include "container/door.hpp"
#include "container/sealed_record.hpp"
#include "golden.hpp"

using namespace nimes;
using namespace nimes::test;
using namespace nimes::agent::container;

namespace {

struct Given final : RandomSource {
    Bytes bytes;
    void fill(std::span<std::uint8_t> out) override { std::copy_n(bytes.begin(), out.size(), out.begin()); }
};

}  // namespace

TEST_CASE("golden: a passphrase is stretched by Argon2id", "[vectors]") {
    const auto v = golden("container.json")["stretch"];
    auto arena = Arena::create().value();
    const auto passphrase = v["passphrase"].get<std::string>();
    Salt salt{};
    const auto given = bytes(v["salt"]);
    REQUIRE(given.size() == salt.size());
    std::copy(given.begin(), given.end(), salt.begin());
    const PassphraseCost cost{v["operations"], v["memory_bytes"]};
    CHECK(to_bytes(stretch(*arena, as_bytes(passphrase), salt, cost).value().view()) == bytes(v["stretched"]));
}

TEST_CASE("golden: the container's keys, slots, rows and blinded columns", "[vectors]") {
    const auto v = golden("container.json");
    auto arena = Arena::create().value();
    const auto hot = [&](const char* name) { return arena->take(bytes(v[name])).value(); };
    const auto same = [&](const HotKey& key, const char* name) { return to_bytes(key.view()) == bytes(v[name]); };
    const auto keys =
        door_keys(*arena, hot("stretched"), Secret<32>(bytes(v["half"])), Secret<32>(bytes(v["share"]))).value();
    CHECK(same(keys.door, "door"));
    CHECK(same(keys.root, "root"));
    CHECK(
        same(door_keys(*arena, hot("stretched"), Secret<32>(bytes(v["half"])), {}).value().root, "root_without_share"));
    const auto commitment = commitment_of(*arena, keys.root).value();
    CHECK(Bytes(commitment.begin(), commitment.end()) == bytes(v["commitment"]));
    const auto slot_key = derive(*arena, 1, keys.root).value();
    CHECK(same(slot_key, "slot_key"));
    CHECK(same(derive(*arena, 3, hot("s")).value(), "wrapping"));

    Given random;
    random.bytes = bytes(v["nonce"]);
    const auto slot = v["slot"].get<std::uint32_t>();
    CHECK(seal_slot(slot_key, slot, bytes(v["s"]), random) == bytes(v["slot_sealed"]));
    CHECK(open_slot(slot_key, slot, bytes(v["slot_sealed"])).value() == bytes(v["s"]));
    CHECK_FALSE(open_slot(slot_key, slot + 1, bytes(v["slot_sealed"])));

    const Place place{v["table"].get<std::uint32_t>(), v["row"].get<std::uint64_t>(),
                      v["version"].get<std::uint64_t>()};
    const auto record = bytes(v["record"]);
    CHECK(seal_record(bytes(v["record_key"]), place, bytes(v["plain"]), random) == record);
    CHECK(open_record(bytes(v["record_key"]), place, record).value() == bytes(v["plain"]));
    for (const auto& moved :
         {Place{place.table + 1, place.id, place.version}, Place{place.table, place.id + 1, place.version},
          Place{place.table, place.id, place.version + 1}})
        CHECK_FALSE(open_record(bytes(v["record_key"]), moved, record));
    CHECK(blind(bytes(v["index_key"]), place.table, v["column"].get<std::uint32_t>(), bytes(v["value"])) ==
          id<Blind>(v["blind"]));
}
