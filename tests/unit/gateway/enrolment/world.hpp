// A roster of four people in memory, a postman that keeps what he is given, and handsets that enrol: for tests.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>

#include "enrolment/enrolment.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::enrolment::test {

inline constexpr Millis kStart = 1'780'000'000'000;

struct TestClock final : Clock {
    Millis time = kStart;
    [[nodiscard]] Millis now() const override { return time; }
    [[nodiscard]] Millis boot() const override { return time; }
};

inline ServiceAddress address(std::string_view text) { return *ServiceAddress::parse(text); }

inline SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

// Judges as the directory does: the next number, the device's signature, the voucher's.
struct FakeRoster final : Roster {
    std::map<std::string, UserId> people;
    std::map<UserId, std::vector<DeviceCert>> entries;
    std::map<UserId, std::uint32_t> seq;

    void add(const std::string& text, std::uint8_t n) { people[text].bytes.fill(n); }
    std::string fault;        // who asks for this address gets an exception
    mutable std::mutex shut;  // held: whoever asks waits
    mutable std::atomic<int> asked = 0;
    std::optional<UserId> find(const ServiceAddress& a) const override {
        ++asked;
        const std::lock_guard lock(shut);
        if (a.text() == fault) throw std::runtime_error("a roster that fails");
        const auto at = people.find(a.text());
        return at == people.end() ? std::nullopt : std::optional(at->second);
    }
    std::map<UserId, bool> all_lost;
    SigningKeyPair admin = key_pair(200);
    Admission next_admission(const UserId& user) const override {
        if (all_lost.contains(user)) return Admission::approved;
        return entries.contains(user) ? Admission::vouched : Admission::first;
    }
    std::pair<DeviceId, Signature> approve(const DeviceCert& cert) const override {
        return {key_actor(admin.public_key), sign_cert_voucher_admin(admin.secret, org_id("test"), cert.body())};
    }
    Result<DeviceCert> draft(const UserId& user, const PublicKey& identity, DeviceRole role, Admission admission,
                             std::uint16_t platform, Millis not_before) const override {
        DeviceCert out;
        out.role = role;
        out.admission = admission;
        out.user = user;
        out.identity = identity;
        out.device = device_id(user, identity);
        out.seq = (seq.contains(user) ? seq.at(user) : 0) + 1;
        out.platform = platform;
        out.not_before = not_before;
        out.not_after = not_before + 1'000 * kDay;
        return out;
    }
    Result<DeviceCert> certify(const DeviceCert& cert) override {
        for (const auto& held : entries[cert.user])
            if (held.body() == cert.body()) return held;
        if (entries[cert.user].empty()) entries.erase(cert.user);
        if (cert.seq != seq[cert.user] + 1) return fail(Errc::storage_conflict);
        if (!verify_cert_self(cert)) return fail(Errc::proof_invalid);
        if (cert.admission == Admission::vouched) {
            const auto voucher = identity_of(cert.voucher);
            if (!voucher || !verify_cert_voucher_device(cert, *voucher)) return fail(Errc::proof_invalid);
        }
        if (cert.admission == Admission::approved && !verify_cert_voucher_admin(cert, org_id("test"), admin.public_key))
            return fail(Errc::proof_invalid);
        auto out = cert;
        out.ea_signature.bytes.fill(1);
        ++seq[cert.user];
        entries[cert.user].push_back(out);
        return out;
    }
    std::optional<PublicKey> identity_of(const DeviceId& device) const override {
        for (const auto& [user, certs] : entries)
            for (const auto& cert : certs)
                if (cert.device == device) return cert.identity;
        return std::nullopt;
    }
    Bytes person_record(const UserId& user) const override { return to_bytes(user.view()); }
};

struct FakePost final : Post {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<std::string, std::string>> sent;
    void send_code(const ServiceAddress& to, const std::string& code) override {
        const std::lock_guard lock(mutex);
        sent.emplace_back(to.text(), code);
        changed.notify_all();
    }
    // Waits until n mails were sent in all; answers the newest code.
    std::string code(std::size_t n) {
        std::unique_lock lock(mutex);
        REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return sent.size() >= n; }));
        return sent.back().second;
    }
    std::size_t count() {
        const std::lock_guard lock(mutex);
        return sent.size();
    }
};

inline constexpr auto kAnna = "a.meyer@polizei.example";
inline constexpr auto kBernd = "b.meyer@polizei.example";
inline constexpr auto kPeer = "192.0.2.7";

struct World {
    store::MemoryStore store;
    FakeRoster roster;
    FakePost post;
    TestClock clock;
    SystemRandom random;
    operations::Metrics metrics{"test", "test"};
    operations::Log log{clock, operations::Level::error};
    Policy policy;
    std::unique_ptr<Enrolment> room;

    World() {
        REQUIRE(crypto_init());
        roster.add(kAnna, 1);
        roster.add(kBernd, 2);
        open();
    }
    // Once more, over the same store: a restart.
    void open() {
        room.reset();
        ByteArray<32> pepper{};
        pepper.fill(9);
        room = std::make_unique<Enrolment>(Enrolment::Needs{store, roster, post, clock, random, metrics, log},
                                           Key(ByteView(pepper)), policy);
        room->start();
    }

    std::string ask(const std::string& who) {
        const auto before = post.count();
        REQUIRE(room->request_code(who, kPeer));
        return post.code(before + 1);
    }
    Result<Offer> begin(const std::string& who, const std::string& code, const SigningKeyPair& key) {
        return room->begin({who, code, key.public_key, DeviceRole::service, 1}, kPeer);
    }
    Result<Outcome> finish(const Offer& offer, const SigningKeyPair& key) {
        return room->finish(offer.ticket, sign_cert_self(key.secret, offer.body));
    }
    DeviceCert enrol_first(const std::string& who, const SigningKeyPair& key) {
        const auto offer = begin(who, ask(who), key);
        REQUIRE(offer);
        const auto outcome = finish(*offer, key);
        REQUIRE(outcome);
        REQUIRE(outcome->certificate);
        return *outcome->certificate;
    }
};

inline std::string wrong(std::string code) {
    code[0] = code[0] == '9' ? '0' : static_cast<char>(code[0] + 1);
    return code;
}

}  // namespace nimes::gateway::enrolment::test
