#include <sys/stat.h>

#include <filesystem>

#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway::directory;

TEST_CASE("reopened, the directory is the same, and goes on") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    REQUIRE(office.directory->suspend(handset.cert.device));
    const auto head = office.directory->newest_head();
    const auto mirror = office.directory->mirror_revision();
    office.reopen();
    CHECK(office.directory->newest_head() == head);
    CHECK(office.directory->admit(handset.cert.device).error().code == Errc::device_suspended);
    CHECK(office.directory->person(user)->name == "Meyer, Anna");
    CHECK(office.directory->mirror_revision() > mirror);
    CHECK_FALSE(office.directory->mirror_since(mirror));
    const auto second = office.enrol(office.person(2));
    CHECK(office.directory->targets_of(second.user)->at(0).dev_no == 2);
}

TEST_CASE("a crash between a record and its head is mended by one more head") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    Client client(office);
    REQUIRE(client.look_up(user));
    office.store.broken = "heads";
    CHECK_FALSE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    office.store.broken.clear();
    office.reopen();
    CHECK(office.directory->admit(handset.cert.device).error().code == Errc::device_revoked);
    CHECK(office.directory->changes_since(client.held.head().revision).too_many);
    const auto entry = client.look_up(user);
    REQUIRE(entry);
    CHECK((*entry)->entry.revoke(handset.cert.device) != nullptr);
}

TEST_CASE("when the record itself cannot be stored, nothing has changed") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.draft(user);
    const auto head = office.directory->newest_head();
    office.store.broken = "u" + std::string(as_text(user.view()));
    CHECK(office.directory->certify(handset.cert).error().code == Errc::storage);
    office.store.broken.clear();
    CHECK(office.directory->newest_head() == head);
    CHECK(office.directory->devices(user).empty());
    CHECK(office.directory->certify(handset.cert));
}

TEST_CASE("a certificate is issued once for a body, and only to what verifies") {
    Office office;
    const auto user = office.person(1);
    auto first = office.draft(user);
    auto unsigned_one = first.cert;
    unsigned_one.self_signature = {};
    CHECK(office.directory->certify(unsigned_one).error().code == Errc::proof_invalid);
    const auto cert = office.directory->certify(first.cert).value();
    CHECK(office.directory->certify(first.cert).value() == cert);  // a repeat

    const Handset holder{user, std::move(first.key), cert};
    auto stranger = office.enrol(office.person(2));
    auto vouched_by_stranger = office.draft(user, &stranger);
    CHECK(office.directory->certify(vouched_by_stranger.cert).error().code == Errc::proof_invalid);

    const auto a = office.draft(user, &holder), b = office.draft(user, &holder);
    CHECK(office.directory->certify(a.cert));
    CHECK(office.directory->certify(b.cert).error().code == Errc::storage_conflict);
    for (int n = 0; n < 5; ++n) (void)office.enrol(user, &holder);
    CHECK(office.directory->certify(office.draft(user, &holder).cert).error().code == Errc::device_limit);
}

TEST_CASE("a revocation is final, ends seal keys, and is told to all who must know") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    int heads = 0, mirrors = 0;
    std::vector<DeviceId> shut;
    office.directory->observe({[&] { ++heads; }, [&] { ++mirrors; }, [&](const DeviceId& d) { shut.push_back(d); }});
    const auto before = office.directory->mirror_revision();
    REQUIRE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    CHECK((heads == 1 && mirrors == 1 && shut == std::vector{handset.cert.device}));
    const auto delta = office.directory->mirror_since(before);
    REQUIRE((delta && delta->size() == 1));
    CHECK(delta->at(0).state == MirrorState::revoked);
    CHECK(office.directory->resume(handset.cert.device).error().code == Errc::device_revoked);
    CHECK(office.directory->revoke(handset.cert.device, RevokeReason::left));  // again: nothing more
    CHECK(office.directory->devices(user).at(0).revoke->reason == RevokeReason::stolen);
    CHECK(office.directory->targets_of(user)->empty());
    CHECK(office.directory->revoke(DeviceId{}, RevokeReason::lost).error().code == Errc::device_unknown);
}

TEST_CASE("suspended is shut out and comes back") {
    Office office;
    const auto handset = office.enrol(office.person(1));
    REQUIRE(office.directory->suspend(handset.cert.device));
    CHECK(office.directory->mirror_all().at(0).state == MirrorState::suspended);
    CHECK(office.directory->targets_of(handset.user)->empty());
    REQUIRE(office.directory->resume(handset.cert.device));
    CHECK(office.directory->admit(handset.cert.device));
    CHECK(office.directory->mirror_all().at(0).state == MirrorState::active);
}

TEST_CASE("many are revoked in one head, several of one person among them; one wrong device refuses all") {
    Office office;
    const auto anna = office.person(1), bernd = office.person(2);
    const auto phone = office.enrol(anna);
    const auto tablet = office.enrol(anna, &phone);
    const auto other = office.enrol(bernd);
    std::vector<DeviceId> told;
    office.directory->observe({[] {}, [] {}, [&](const DeviceId& d) { told.push_back(d); }});
    const auto before = office.directory->newest_head();
    const std::vector all{phone.cert.device, other.cert.device, tablet.cert.device};
    auto wrong = all;
    wrong.push_back(DeviceId{});
    CHECK(office.directory->revoke(wrong, RevokeReason::lost).error().code == Errc::device_unknown);
    CHECK(office.directory->newest_head() == before);
    CHECK(office.directory->admit(phone.cert.device));
    REQUIRE(office.directory->revoke(all, RevokeReason::lost));
    CHECK(office.directory->newest_head().revision == before.revision + 1);
    CHECK(told == all);
    for (const auto& device : all) CHECK(office.directory->admit(device).error().code == Errc::device_revoked);
    REQUIRE(office.directory->revoke(all, RevokeReason::stolen));
    CHECK(office.directory->newest_head().revision == before.revision + 1);
    Client client(office);
    CHECK(client.look_up(anna));
    CHECK(client.look_up(bernd));
    office.reopen();
    for (const auto& device : all) CHECK(office.directory->device(device)->revoke->reason == RevokeReason::lost);
    CHECK(office.directory->newest_head().revision == before.revision + 1);
}

namespace {

// A batch of the device's day keys, as it would publish it at `when`.
std::vector<Bytes> seal_keys(const DeviceId& device, Millis when, const SigningKeyPair& key, std::uint32_t first) {
    std::vector<Bytes> out;
    for (std::uint32_t i = 0; i < 32; ++i) {
        SealKey k;
        k.device = device;
        k.batch_no = utc_day(when);
        k.key_id = first + i;
        k.not_before = (utc_day(when) + Millis{i}) * kDay;
        k.not_after = k.not_before + kDay;
        k.signature = sign_seal_key(key.secret, k.body());
        out.push_back(k.encode());
    }
    return out;
}

}  // namespace

TEST_CASE("a revocation whose head was not stored gets it when it is asked for again") {
    Office office;
    const auto handset = office.enrol(office.person(1));
    REQUIRE(office.directory->put_seal_keys(handset.cert.device,
                                            seal_keys(handset.cert.device, office.clock.time, handset.key, 1)));
    const auto before = office.directory->newest_head();
    office.store.broken = "heads";
    CHECK_FALSE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    office.store.broken.clear();
    REQUIRE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    CHECK(office.directory->newest_head().revision == before.revision + 1);
    Client client(office);
    const auto entry = client.look_up(handset.user);
    REQUIRE(entry);
    CHECK(office.directory->newest_head().map_root != before.map_root);
    CHECK(office.directory->destroy_seal_keys(handset.cert.device));
}

TEST_CASE("a revocation whose mirror row was not stored is in the mirror for each of its devices") {
    Office office;
    const std::vector all{office.enrol(office.person(1)).cert.device, office.enrol(office.person(2)).cert.device};
    const auto before = office.directory->mirror_revision();
    office.store.broken = "mirror";
    CHECK_FALSE(office.directory->revoke(all, RevokeReason::stolen));
    office.store.broken.clear();
    REQUIRE(office.directory->revoke(all, RevokeReason::stolen));
    const auto changed = office.directory->mirror_since(before);
    REQUIRE(changed);
    CHECK(changed->size() == 2);
}

TEST_CASE("seal keys: one batch of the device's own, never an older one, gone with the device") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    const auto batch = [&](Millis when, const SigningKeyPair& key, std::uint32_t first) {
        return seal_keys(handset.cert.device, when, key, first);
    };
    const auto yesterday = batch(office.clock.time - kDay, handset.key, 1),
               today = batch(office.clock.time, handset.key, 33);
    REQUIRE(office.directory->put_seal_keys(handset.cert.device, today));
    CHECK(office.directory->seal_batch(handset.cert.device) == utc_day(office.clock.time));
    CHECK_FALSE(office.directory->put_seal_keys(handset.cert.device, yesterday));
    CHECK_FALSE(office.directory->put_seal_keys(handset.cert.device, batch(office.clock.time, key_pair(99), 65)));
    auto mixed = today;
    mixed[5] = today[4];
    CHECK_FALSE(office.directory->put_seal_keys(handset.cert.device, mixed));
    CHECK_FALSE(office.directory->put_seal_keys(handset.cert.device, std::vector<Bytes>(33, today[0])));

    Client client(office);
    const auto entry = client.look_up(user).value();
    REQUIRE(entry->seal_key(handset.cert.device, office.clock.time) != nullptr);
    CHECK(entry->seal_key(handset.cert.device, office.clock.time)->key_id == 33);
    office.clock.time += kDay;
    CHECK(client.look_up(user).value()->seal_key(handset.cert.device, office.clock.time)->key_id == 34);
    office.reopen();
    CHECK(office.directory->seal_batch(handset.cert.device) == utc_day(office.clock.time) - 1);
    REQUIRE(office.directory->revoke(handset.cert.device, RevokeReason::lost));
    CHECK(office.directory->seal_batch(handset.cert.device) == 0);
}

TEST_CASE("people: added, changed, unchanged; found by the beginning of name and unit without regard to case") {
    Office office;
    (void)office.person(1, "Meyer, Anna", "Celle");
    (void)office.person(2, "Meyer, Bernd", "Gifhorn");
    (void)office.person(3, "Schulz, Clara", "Celle");
    CHECK(*office.directory->put_person({Office::address(1), "Meyer, Anna", "PHK", "Celle"}) ==
          Directory::Put::unchanged);
    CHECK(*office.directory->put_person({Office::address(1), "Meyer, Anna", "EPHK", "Celle"}) ==
          Directory::Put::changed);
    CHECK(office.directory->person(Office::address(1))->seq == 2);
    CHECK(office.directory->find_people("meyer", "").persons_size() == 2);
    CHECK(office.directory->find_people("Meyer", "CEL").persons_size() == 1);
    CHECK(office.directory->find_people("", "celle").persons_size() == 2);
    CHECK(office.directory->find_people("x", "").persons_size() == 0);
    for (int n = 10; n < 70; ++n) (void)office.person(n, "Viele, Nr " + std::to_string(n), "Celle");
    const auto many = office.directory->find_people("viele", "");
    CHECK((many.persons_size() == 50 && many.more()));
}

TEST_CASE("a head each hour, and never one that goes back in time") {
    Office office;
    const auto first = office.directory->newest_head();
    office.clock.time += kHour - 1;
    REQUIRE(office.directory->tick());
    CHECK(office.directory->newest_head() == first);
    office.clock.time += 1;
    REQUIRE(office.directory->tick());
    CHECK(office.directory->newest_head().revision == first.revision + 1);
    office.clock.time -= 2 * kHour;
    (void)office.enrol(office.person(1));
    CHECK(office.directory->newest_head().ts == first.ts + kHour);
}

TEST_CASE("keys are made once, read back, and not used when others may read them") {
    char name[] = "/tmp/nimes-keys-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name);
    SystemRandom random;
    const auto made = create_org_keys(folder / "keys", "polizei-test", random).value();
    CHECK(create_org_keys(folder / "keys", "polizei-test", random).error().code == Errc::exists);
    const auto read = load_org_keys(folder / "keys", "polizei-test").value();
    CHECK(read.public_keys().ea == made.public_keys().ea);
    CHECK(read.address_secret.equals(made.address_secret.view()));
    CHECK(read.share_key->equals(made.share_key->view()));
    CHECK(create_share_key(folder / "keys", random).error().code == Errc::exists);
    std::filesystem::rename(folder / "keys" / "shares.key", folder / "keys" / "shares-old.key");
    const auto renamed = load_org_keys(folder / "keys", "polizei-test").value();
    CHECK_FALSE(renamed.share_key);
    CHECK(renamed.retired_share_key->equals(made.share_key->view()));
    ::chmod((folder / "keys" / "shares-old.key").c_str(), 0640);
    CHECK(load_org_keys(folder / "keys", "polizei-test").error().code == Errc::forbidden);
    ::chmod((folder / "keys" / "shares-old.key").c_str(), 0600);
    ::chmod((folder / "keys" / "ea.key").c_str(), 0640);
    CHECK(load_org_keys(folder / "keys", "polizei-test").error().code == Errc::forbidden);
    std::filesystem::remove_all(folder);
}
