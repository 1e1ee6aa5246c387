// Which entries a thin client believes: each answer below is refused by one check alone.
#include <catch2/catch.hpp>

#include "unit/device-agent/directory/fake_directory.hpp"

using namespace nimes;
using namespace nimes::agent::directory;
using test::FakeDirectory;
using test::kNow;
using test::raw;

namespace {

const std::string kAnna = "anna@polizei.example", kBernd = "bernd@polizei.example";

struct Town {
    FakeDirectory directory;
    UserId user = test::user(1), other_user = test::user(2), nobody = test::user(9);
    SigningKeyPair key = test::key_pair(11), other_key = test::key_pair(12);
    DirectoryEntry anna, bernd;

    Town() {
        anna = {user, {directory.cert(user, key, 1, kAnna)}, {}};
        bernd = {other_user, {directory.cert(other_user, other_key, 1, kBernd)}, {}};
        directory.put(anna);
        directory.put(bernd);
        directory.publish();
    }
    Errc refused(HeldDirectory& client, const v1::Entry& answer, const UserId& asked, Millis now = kNow) const {
        const auto taken = client.take_user(answer, asked, now);
        return taken ? Errc::internal : taken.error().code;
    }
    v1::Entry with_person(ByteView record) const {
        auto out = directory.entry_answer(anna);
        out.set_person(raw(record));
        return out;
    }
    SealKey seal_key(std::uint32_t batch, std::uint32_t id) const {
        SealKey out;
        out.device = anna.certs[0].device;
        out.batch_no = batch;
        out.key_id = id;
        out.not_before = utc_day(kNow) * kDay;
        out.not_after = out.not_before + kDay;
        out.signature = sign_seal_key(key.secret, out.body());
        return out;
    }
    v1::Entry with_keys(const std::vector<SealKey>& keys) const {
        auto out = directory.entry_answer(anna);
        auto& device = *out.add_devices();
        device.set_device(raw(anna.certs[0].device.view()));
        device.set_dev_no(5);
        for (const auto& k : keys) device.add_seal_keys(raw(k.encode()));
        return out;
    }
};

}  // namespace

TEST_CASE("an entry in the map of the head held is believed, and comes back from the container as it was") {
    Town town;
    auto client = town.directory.client();
    auto answer = town.with_keys({town.seal_key(utc_day(kNow), 1)});
    answer.set_person(raw(town.directory.person(town.user, "Meyer, Anna", kAnna, 4)));
    const auto held = client.take_user(answer, town.user, kNow);
    REQUIRE(held);
    CHECK((*held)->entry == town.anna);
    CHECK((*held)->person->name == "Meyer, Anna");
    CHECK((*held)->known_since == kNow);
    CHECK((*held)->seal_key(town.anna.certs[0].device, kNow) != nullptr);

    auto restarted = town.directory.client();
    const auto stored = (*held)->encode();
    REQUIRE(restarted.restore_entry(stored));
    CHECK(restarted.find(town.user)->encode() == stored);
    CHECK(restarted.find(town.user)->person->seq == 4);
    for (std::size_t n = 0; n < stored.size(); ++n) CHECK_FALSE(restarted.restore_entry(ByteView(stored).first(n)));
    // Any byte changed is refused, or stands for itself.
    for (std::size_t n = 0; n < stored.size(); ++n) {
        auto changed = stored;
        changed[n] ^= 0x40;
        auto again = town.directory.client();
        if (again.restore_entry(changed)) CHECK(again.entries().begin()->second.encode() == changed);
    }
}

TEST_CASE("an entry is refused for each thing alone, and then nothing is held") {
    Town town;
    auto client = town.directory.client();
    const auto good = town.directory.entry_answer(town.anna);
    auto answer = good;
    answer.set_path(raw(encode_path(town.directory.map.path(town.bernd.leaf().key()))));
    CHECK(town.refused(client, answer, town.user) == Errc::proof_invalid);
    CHECK(town.refused(client, good, town.other_user) == Errc::proof_invalid);  // another person's entry
    answer = good;
    answer.clear_path();
    CHECK(town.refused(client, answer, town.user) == Errc::proof_invalid);
    answer = good;
    while (answer.records_size() <= static_cast<int>(kMaxRecords)) answer.add_records(good.records(0));
    CHECK(town.refused(client, answer, town.user) == Errc::proof_invalid);
    // Signed by no authority, in the map nevertheless: the directory alone makes no device.
    auto invented = town.anna;
    invented.certs[0].ea_signature.bytes[0] ^= 1;
    town.directory.put(invented);
    town.directory.publish();
    auto newer = town.directory.client();
    CHECK(town.refused(newer, town.directory.entry_answer(invented), town.user) == Errc::proof_invalid);
    CHECK(client.entries().empty());
    CHECK(newer.entries().empty());
}

TEST_CASE("nobody is there only with a proof, and who was there leaves only with the last record") {
    Town town;
    auto client = town.directory.client();
    CHECK(town.refused(client, town.directory.absent(town.nobody), town.nobody) == Errc::not_found);
    CHECK(town.refused(client, town.directory.absent(town.nobody), town.user) == Errc::proof_invalid);
    CHECK(town.refused(client, v1::Entry{}, town.nobody) == Errc::proof_invalid);

    REQUIRE(client.take_user(town.directory.entry_answer(town.anna), town.user, kNow));
    MapKey key{};
    std::copy_n(town.user.bytes.begin(), key.size(), key.begin());
    town.directory.map.erase(key);
    town.directory.publish();
    REQUIRE(client.take_head(town.directory.head_answer(client.head().revision), kNow));
    const auto gone = town.directory.absent(town.user);
    const auto end = town.anna.certs[0].not_after + 90 * kDay;
    CHECK(town.refused(client, gone, town.user, kNow) == Errc::proof_invalid);
    CHECK(town.refused(client, gone, town.user, end) == Errc::proof_invalid);
    CHECK(town.refused(client, gone, town.user, end + 1) == Errc::not_found);
}

TEST_CASE("a revocation seen once is never unseen") {
    Town town;
    auto revoked = town.anna;
    revoked.revokes.push_back(test::revoke_by_admin(town.directory.org, town.user, town.anna.certs[0].device, 2));
    auto client = town.directory.client();
    town.directory.put(revoked);
    town.directory.publish();
    REQUIRE(client.take_head(town.directory.head_answer(2), kNow));
    REQUIRE(client.take_user(town.directory.entry_answer(revoked), town.user, kNow));
    town.directory.put(town.anna);  // honestly published, and a lie
    town.directory.publish();
    REQUIRE(client.take_head(town.directory.head_answer(3), kNow));
    CHECK(town.refused(client, town.directory.entry_answer(town.anna), town.user) == Errc::proof_invalid);
    CHECK_FALSE(client.find(town.user)->entry.active(town.anna.certs[0].device, kNow));
}

TEST_CASE("asked for an address, only the person of that address is an answer") {
    Town town;
    const auto anna = town.directory.address(kAnna), bernd = town.directory.address(kBernd);
    auto client = town.directory.client();
    CHECK(client.address_hash(kAnna) == anna);
    CHECK(client.address_hash("no address").is_zero());
    // Bernd's entry for Anna's address: proven, and not hers. Nothing of it stays.
    CHECK_FALSE(client.take_address(town.directory.by_address(town.bernd, bernd), anna, kNow));
    auto mixed = town.directory.by_address(town.bernd, bernd);
    mixed.set_address_path(town.directory.by_address(town.anna, anna).address_path());
    CHECK_FALSE(client.take_address(mixed, anna, kNow));
    auto unproven = town.directory.by_address(town.anna, anna);
    unproven.set_address_path(town.directory.by_address(town.bernd, bernd).address_path());
    CHECK_FALSE(client.take_address(unproven, anna, kNow));
    CHECK(client.entries().empty());
    REQUIRE(client.take_address(town.directory.by_address(town.anna, anna), anna, kNow));

    const auto free = town.directory.address("nobody@polizei.example");
    MapKey key{};
    std::copy_n(free.bytes.begin(), key.size(), key.begin());
    v1::Entry none;
    none.set_address_path(raw(encode_absence(town.directory.map.path(key))));
    CHECK(client.take_address(none, free, kNow).error().code == Errc::not_found);
    CHECK(client.take_address(none, anna, kNow).error().code == Errc::proof_invalid);
}

TEST_CASE("a person's name is shown only as signed, for this user, with the address that the entry carries") {
    Town town;
    const auto& directory = town.directory;
    const auto name = [&](HeldDirectory& client, ByteView record) {
        const auto held = client.take_user(town.with_person(record), town.user, kNow);
        REQUIRE(held);
        return (*held)->person ? (*held)->person->name : std::string();
    };
    auto client = directory.client();
    CHECK(name(client, directory.person(town.user, "Meyer", kBernd, 1)).empty());
    CHECK(name(client, directory.person(town.other_user, "Meyer", kAnna, 1)).empty());
    auto forged = directory.person(town.user, "Meyer", kAnna, 1);
    forged.back() ^= 1;
    CHECK(name(client, forged).empty());
    CHECK(name(client, directory.person(town.user, "Meyer", kAnna, 2)) == "Meyer");
    CHECK(name(client, directory.person(town.user, "Meyer-Lang", kAnna, 3)) == "Meyer-Lang");
    CHECK(name(client, directory.person(town.user, "Meyer", kAnna, 2)) == "Meyer-Lang");  // an older record
    CHECK(name(client, forged) == "Meyer-Lang");
}

TEST_CASE("a name goes with its address; an entry without one takes no new name") {
    Town town;
    auto& directory = town.directory;
    auto client = directory.client();
    REQUIRE(client.take_user(town.with_person(directory.person(town.user, "Meyer", kAnna, 1)), town.user, kNow));
    auto moved = town.anna;
    moved.certs.push_back(directory.cert(town.user, test::key_pair(13), 2, "anna.lang@polizei.example"));
    std::sort(moved.certs.begin(), moved.certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    directory.put(moved);
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(2), kNow));
    REQUIRE(client.take_user(directory.entry_answer(moved), town.user, kNow));
    CHECK_FALSE(client.find(town.user)->person);

    auto revoked = town.bernd;
    revoked.revokes.push_back(test::revoke_by_admin(directory.org, town.other_user, revoked.certs[0].device, 2));
    directory.put(revoked);
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(3), kNow));
    auto answer = directory.entry_answer(revoked);
    answer.set_person(raw(directory.person(town.other_user, "Brandt", kBernd, 1)));
    REQUIRE(client.take_user(answer, town.other_user, kNow));
    CHECK_FALSE(client.find(town.other_user)->person);
}

TEST_CASE("nothing is kept of a device outside the entry") {
    Town town;
    auto client = town.directory.client();
    auto answer = town.with_keys({town.seal_key(utc_day(kNow), 1)});
    answer.mutable_devices(0)->set_device(raw(town.bernd.certs[0].device.view()));
    answer.add_devices()->set_device("short");
    REQUIRE(client.take_user(answer, town.user, kNow));
    CHECK(client.find(town.user)->devices.empty());
}

TEST_CASE("a seal key serves when its device signed it, today, from a fresh answer and the newest batch") {
    Town town;
    const auto device = town.anna.certs[0].device;
    const auto today = utc_day(kNow);
    auto client = town.directory.client();
    const auto key_id = [&](const std::vector<SealKey>& keys, Millis now = kNow) -> std::uint32_t {
        const auto held = client.take_user(town.with_keys(keys), town.user, kNow);
        REQUIRE(held);
        const auto* key = (*held)->seal_key(device, now);
        return key == nullptr ? 0 : key->key_id;
    };
    auto forged = town.seal_key(today, 1);
    forged.key.bytes[0] ^= 1;
    CHECK(key_id({forged}) == 0);
    auto of_another = town.seal_key(today, 1);
    of_another.device = town.bernd.certs[0].device;
    of_another.signature = sign_seal_key(town.key.secret, of_another.body());
    CHECK(key_id({of_another}) == 0);
    CHECK(key_id({town.seal_key(today + 2, 1)}) == 0);  // published the day after tomorrow
    CHECK(key_id({town.seal_key(today - 1, 2)}) == 2);
    CHECK(key_id({town.seal_key(today - 1, 2), town.seal_key(today, 3)}) == 3);
    CHECK(key_id({town.seal_key(today - 1, 2)}) == 0);  // rolled back
    CHECK(key_id({town.seal_key(today, 3)}, town.seal_key(today, 3).not_after) == 0);
    CHECK(key_id({town.seal_key(today, 3)}, town.seal_key(today, 3).not_before - 1) == 0);
    CHECK(client.find(town.user)->devices.at(device).dev_no == 5);

    auto restarted = town.directory.client();
    REQUIRE(restarted.restore_entry(client.find(town.user)->encode()));
    REQUIRE(restarted.take_user(town.with_keys({town.seal_key(today - 1, 2)}), town.user, kNow));
    CHECK(restarted.find(town.user)->seal_key(device, kNow) == nullptr);
    HeldEntry old = *client.find(town.user);
    REQUIRE(old.seal_key(device, kNow) != nullptr);
    old.fetched = kNow - kDay;
    CHECK(old.seal_key(device, kNow) != nullptr);
    old.fetched -= 1;
    CHECK(old.seal_key(device, kNow) == nullptr);
}
