// A directory over a store in memory, people with handsets, and an agent that believes nothing without proof.
#pragma once

#include <catch2/catch.hpp>

#include "directory/directory.hpp"
#include "directory/held_directory.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::directory {

inline constexpr Millis kStart = 1'780'000'000'000;

struct FakeClock final : Clock {
    Millis time = kStart;
    Millis now() const override { return time; }
    Millis boot() const override { return time - kStart; }
};

struct CountingRandom final : RandomSource {
    std::uint64_t n = 1;
    void fill(std::span<std::uint8_t> out) override {
        for (auto& b : out) b = static_cast<std::uint8_t>((n++ * 0x9e3779b97f4a7c15ull) >> 40);
    }
};

// Refuses commits to one partition: the disk that breaks between a record and its head.
struct FaultyStore final : store::Store {
    store::MemoryStore inner;
    std::string broken;
    bool dies_after_commit = false;  // what was written is there, and nobody hears of it
    bool keeps_partitions = false;   // drop() does nothing
    using store::Store::commit;
    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        for (const auto& batch : batches)
            if (!broken.empty() && batch.partition.name == broken) return fail(Errc::storage);
        auto done = inner.commit(batches, sync);
        if (dies_after_commit) return fail(Errc::storage);
        return done;
    }
    Result<std::optional<Bytes>> get(const store::Partition& p, std::string_view key) override {
        return inner.get(p, key);
    }
    Result<std::vector<store::Record>> scan(const store::Partition& p, std::string_view from, std::string_view until,
                                            std::size_t limit) override {
        return inner.scan(p, from, until, limit);
    }
    Result<std::optional<store::Record>> last(const store::Partition& p, std::string_view from,
                                              std::string_view until) override {
        return inner.last(p, from, until);
    }
    Result<std::vector<std::string>> partitions(store::Family f, std::string_view from, std::size_t limit) override {
        return inner.partitions(f, from, limit);
    }
    Result<void> drop(const store::Partition& p) override {
        if (keeps_partitions) return fail(Errc::storage);
        return inner.drop(p);
    }
    Result<void> check() override { return inner.check(); }
};

inline SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

inline OrgSecrets secrets() {
    OrgSecrets out;
    out.organisation = "polizei-test";
    out.org = org_id(out.organisation);
    out.ea = key_pair(1);
    out.directory = key_pair(2);
    out.administrator = key_pair(3);
    out.gateway = key_pair(4);
    out.address_secret = Key(ByteArray<32>{9});
    return out;
}

struct Handset {
    UserId user;
    SigningKeyPair key;
    DeviceCert cert;
};

struct Office {
    FaultyStore store;
    FakeClock clock;
    CountingRandom random;
    std::unique_ptr<Directory> directory;
    std::uint8_t next_key = 20;

    Office() { reopen(); }
    void reopen() {
        directory.reset();
        directory = Directory::open(store, secrets(), clock, random).value();
    }
    static ServiceAddress address(int n) {
        return ServiceAddress::parse("p" + std::to_string(n) + "@polizei.example").value();
    }
    UserId person(int n, const std::string& name = "Meyer, Anna", const std::string& unit = "Celle") {
        REQUIRE(directory->put_person({address(n), name, "PHK", unit}));
        return directory->person(address(n))->user;
    }
    // Drafts and signs as a handset does; `voucher` for a further one.
    Handset draft(const UserId& user, const Handset* voucher = nullptr) {
        Handset out{user, key_pair(next_key++), {}};
        out.cert = directory
                       ->draft(user, out.key.public_key, DeviceRole::service,
                               voucher == nullptr ? Admission::first : Admission::vouched, 1, clock.time)
                       .value();
        out.cert.self_signature = sign_cert_self(out.key.secret, out.cert.body());
        if (voucher != nullptr) {
            out.cert.voucher = voucher->cert.device;
            out.cert.voucher_signature = sign_cert_voucher_device(voucher->key.secret, out.cert.body());
        }
        return out;
    }
    Handset enrol(const UserId& user, const Handset* voucher = nullptr) {
        auto out = draft(user, voucher);
        out.cert = directory->certify(out.cert).value();
        return out;
    }
};

// A thin client that starts from the head of now.
struct Client {
    const Office& office;
    agent::directory::HeldDirectory held;

    explicit Client(const Office& o)
        : office(o), held(secrets().public_keys(), secrets().address_secret.view(), o.directory->newest_head()) {}

    v1::LookupAnswer ask(const UserId& user) {
        v1::LookupRequest request;
        request.add_users(std::string(as_text(user.view())));
        request.set_held_revision(held.head().revision);
        return office.directory->lookup(request).value();
    }
    Result<const agent::directory::HeldEntry*> look_up(const UserId& user) {
        const auto answer = ask(user);
        if (auto step = held.take_head(answer.head(), office.clock.time); !step) return pass(step);
        return held.take_user(answer.entries(0), user, office.clock.time);
    }
    Result<const agent::directory::HeldEntry*> look_up(const ServiceAddress& address) {
        v1::LookupRequest request;
        const auto hash = held.address_hash(address.text());
        request.add_address_hashes(std::string(as_text(hash.view())));
        request.set_held_revision(held.head().revision);
        const auto answer = office.directory->lookup(request).value();
        if (auto step = held.take_head(answer.head(), office.clock.time); !step) return pass(step);
        return held.take_address(answer.entries(0), hash, office.clock.time);
    }
};

}  // namespace nimes::gateway::directory
