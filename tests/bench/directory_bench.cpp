// What the directory of a whole force costs: 23,000 people, each with a handset; one of them changes, one is looked up.
#include "bench/fixture.hpp"
#include "directory/directory.hpp"
#include "directory/state.hpp"
#include "nimes/directory_dump.hpp"
#include "store/memory_store.hpp"

namespace nimes::bench {
namespace {

using namespace gateway;
using namespace gateway::directory;

constexpr Millis kNow = 1'790'000'000'000;
constexpr std::size_t kPeople = 23'000;
constexpr std::size_t kAnswer = 3 * 1'024;

struct StandingClock final : Clock {
    [[nodiscard]] Millis now() const override { return kNow; }
    [[nodiscard]] Millis boot() const override { return 0; }
};

OrgSecrets secrets() {
    OrgSecrets out;
    out.organisation = "polizei-bench";
    out.org = org_id(out.organisation);
    out.ea = key_pair(1);
    out.directory = key_pair(2);
    out.administrator = key_pair(3);
    out.gateway = key_pair(4);
    out.address_secret = Key(pattern(32));
    return out;
}

// All of it from the same few keys: signatures are of each record's own bytes all the same.
struct Force {
    store::MemoryStore store;
    StandingClock clock;
    RepeatableRandom random;
    const OrgSecrets org = secrets();
    const SigningKeyPair handset = key_pair(9);
    std::vector<UserId> people;
    std::unique_ptr<Directory> directory;
    std::uint32_t next = 0;

    Force() {
        for (std::size_t n = 0; n < kPeople; ++n) people.push_back(settle());
        directory = Directory::open(store, secrets(), clock, random).value();
        for (const auto& user : people) {
            if (people.size() - static_cast<std::size_t>(&user - people.data()) > 100) continue;
            (void)second(user);
        }
    }
    ServiceAddress address() {
        return ServiceAddress::parse("p" + std::to_string(next++) + "@polizei.example").value();
    }
    // Written as the directory itself would have, so that the start alone reads and verifies it.
    UserId settle() {
        const auto where = address();
        DeviceCert cert;
        cert.user = random.id<UserId>();
        cert.identity = handset.public_key;
        cert.device = device_id(cert.user, cert.identity);
        cert.seq = 1;
        cert.platform = 1;
        cert.not_before = kNow - kDay;
        cert.not_after = kNow + 365 * kDay;
        cert.attest_hash = where.hash(org.address_secret.view());
        cert.self_signature = sign_cert_self(handset.secret, cert.body());
        cert.ea_key = key_id(org.ea.public_key);
        cert.ea_signature = sign_cert_ea(org.ea.secret, org.org, cert.body());
        v1::Person person;
        person.set_user(std::string(as_text(cert.user.view())));
        person.set_name("Meyer, Anna " + std::to_string(next));
        person.set_rank("PHK");
        person.set_unit("PI Celle");
        person.set_address(where.text());
        person.set_seq(1);
        store::Batch batch(user_partition(cert.user));
        batch.put(std::string(kPersonKey), sign_person(org.ea.secret, org.org, as_bytes(person.SerializeAsString())));
        batch.put(cert_key(cert.device), cert.encode()).put(device_key(cert.device), encode_device({next, false, 0}));
        (void)store.commit(batch, store::Sync::no);
        return cert.user;
    }
    // A further handset with seal keys, so that an answer is as long as they come.
    Result<DeviceCert> second(const UserId& user) {
        auto cert = draft(user);
        auto done = directory->certify(cert);
        if (!done) return done;
        std::vector<Bytes> keys;
        for (std::uint32_t day = 0; day < 3; ++day) {
            SealKey key;
            key.device = cert.device;
            key.batch_no = utc_day(kNow);
            key.key_id = day + 1;
            key.not_before = kNow / kDay * kDay + day * kDay;
            key.not_after = key.not_before + kDay;
            key.key = id<SealPublicKey>(9);
            key.signature = sign_seal_key(further.secret, key.body());
            keys.push_back(key.encode());
        }
        if (auto ok = directory->put_seal_keys(cert.device, keys); !ok) return pass(ok);
        return done;
    }
    DeviceCert draft(const UserId& user) {
        auto cert =
            directory->draft(user, further.public_key, DeviceRole::service, Admission::approved, 1, kNow).value();
        cert.self_signature = sign_cert_self(further.secret, cert.body());
        const auto [admin, voucher] = directory->approve(cert);
        cert.voucher = admin;
        cert.voucher_signature = voucher;
        return cert;
    }
    const SigningKeyPair further = key_pair(10);
};

Force& force() {
    static Force the_force;
    return the_force;
}

void directory_revision(benchmark::State& state) {
    auto& f = force();
    static std::size_t who = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const auto cert = f.draft(f.people[who++ % (kPeople - 200)]);
        state.ResumeTiming();
        if (!require(state, f.directory->certify(cert).has_value(), "certify")) break;
    }
}
BENCHMARK(directory_revision)->Iterations(200);

void directory_lookup(benchmark::State& state) {
    auto& f = force();
    v1::LookupRequest request;
    request.add_users(std::string(as_text(f.people.back().view())));
    // A handset that is connected hears of each head. The users that changed since are a hint of 18 bytes each.
    const auto newest = f.directory->newest_head().revision;
    request.set_held_revision(newest > 10 ? newest - 10 : 1);
    for (auto _ : state) {
        const auto answer = f.directory->lookup(request);
        if (!require(state, answer && answer->entries(0).records_size() == 2, "two devices")) break;
        if (!require(state, answer->ByteSizeLong() < kAnswer, "an answer has less than 3 KiB")) break;
    }
    state.counters["bytes"] = static_cast<double>(f.directory->lookup(request)->ByteSizeLong());
}
BENCHMARK(directory_lookup);

// What an auditing agent does with a whole dump.
void directory_dump(benchmark::State& state) {
    const auto dump = force().directory->dump(0).value();
    Bytes bytes = encode_dump_head(dump.head);
    std::optional<MapKey> last;
    while (const auto* leaf = dump.map.after(last)) {
        const auto one = encode_dump_leaf(*leaf);
        bytes.insert(bytes.end(), one.begin(), one.end());
        last = leaf->key();
    }
    for (auto _ : state) {
        DumpReader reader([](const MapLeaf&) -> Result<void> { return {}; });
        if (!require(state, reader.feed(bytes) && reader.finish(), "the dump is proven")) break;
    }
    state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(directory_dump);

void signatures(benchmark::State& state) {
    const auto keys = key_pair(1);
    const auto bytes = pattern(140);
    Signature signature;
    for (auto _ : state) {
        for (int i = 0; i < 2; ++i)
            crypto_sign_detached(signature.bytes.data(), nullptr, bytes.data(), bytes.size(), keys.secret.data());
        for (int i = 0; i < 5; ++i)
            benchmark::DoNotOptimize(crypto_sign_verify_detached(signature.bytes.data(), bytes.data(), bytes.size(),
                                                                 keys.public_key.bytes.data()));
    }
}
BENCHMARK(signatures)->Name("directory_revision/peer/5 Ed25519 verify, 2 sign");

void one_verify(benchmark::State& state) {
    const auto keys = key_pair(1);
    const auto bytes = pattern(112);
    Signature signature;
    crypto_sign_detached(signature.bytes.data(), nullptr, bytes.data(), bytes.size(), keys.secret.data());
    for (auto _ : state)
        benchmark::DoNotOptimize(crypto_sign_verify_detached(signature.bytes.data(), bytes.data(), bytes.size(),
                                                             keys.public_key.bytes.data()));
}
BENCHMARK(one_verify)->Name("directory_lookup/peer/one Ed25519 verify");

void hashes(benchmark::State& state) {
    const auto bytes = pattern(100);
    for (auto _ : state)
        for (std::size_t i = 0; i < 4 * kPeople; ++i) benchmark::DoNotOptimize(sha256({bytes}));
}
BENCHMARK(hashes)->Name("directory_dump/peer/92,000 SHA-256 of 100 B");

}  // namespace
}  // namespace nimes::bench
