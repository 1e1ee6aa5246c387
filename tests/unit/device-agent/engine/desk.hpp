// A home with its keeper, and a gateway that says what the test wants: whether it keeps a share, withholds it, or shows
// the device as revoked. Threads: one.
#pragma once

#include "engine/keeper.hpp"
#include "town.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
using namespace agent::engine;
using namespace agent::container;

inline constexpr std::string_view kPassphrase = "korrekt pferd batterie";

// The gateway's rooms, as far as they concern a share.
struct Gate final : Custody {
    std::optional<Share> kept;
    std::optional<Errc> refuses;
    bool without_shares = false;  // an older gateway
    v1::FarewellAnswer answer;
    std::vector<v1::Farewell> farewells;
    bool takes_receipts = false;
    int asked = 0, puts = 0;

    static Share copy(const Share& s) { return {s.number, s.bytes.copy()}; }
    Result<Share> share(const std::stop_token&) override {
        ++asked;
        if (refuses) return fail(*refuses);
        if (without_shares) return fail(Errc::not_found);
        if (!kept) return fail(Errc::not_found);
        return copy(*kept);
    }
    Result<void> put_share(const Share& share, const std::stop_token&) override {
        ++puts;
        if (refuses) return fail(*refuses);
        if (without_shares) return fail(Errc::not_found);
        kept = copy(share);
        return {};
    }
    Result<v1::FarewellAnswer> farewell(const v1::Farewell& request, const std::stop_token&) override {
        farewells.push_back(request);
        if (!request.receipt().empty() && !takes_receipts) return fail(Errc::offline);
        return answer;
    }
};

struct Desk {
    Town town{{"anna"}};
    TownClock clock;
    SystemRandom random;
    TempDir folder;
    FileKeystore keystore{folder.path() / "home" / "keystore"};
    Gate gate;
    std::unique_ptr<Core> core;
    std::unique_ptr<Keeper> keeper;

    Desk() {
        auto made = Container::create(lock_home(), as_bytes(kPassphrase), PassphraseCost::least(), around());
        REQUIRE(made);
        DoorInfo door;
        door.provisioning = town.provisioning();
        door.address = anna().address;
        door.cert = anna().cert;
        DoorContent content;
        content.identity_seed = Secret<32>(anna().key.secret.view().first(32));
        content.info = door.encode();
        REQUIRE((*made)->set_door(content));
        made->reset();
        start();
    }
    [[nodiscard]] const Person& anna() const { return town.people[0]; }
    [[nodiscard]] std::filesystem::path home() const { return folder.path() / "home"; }
    Surroundings around() { return {keystore, clock, random}; }
    HomeLock lock_home() {
        auto taken = HomeLock::acquire(home());
        REQUIRE(taken);
        return std::move(*taken);
    }
    // A process that opens the home; as Agent::open does.
    void start(std::string_view passphrase = kPassphrase) {
        keeper = nullptr;
        core = nullptr;
        core = std::make_unique<Core>(clock, random);
        auto box = Container::open(lock_home(), around());
        REQUIRE(box);
        core->box = std::move(*box);
        REQUIRE(core->box->unlock(as_bytes(passphrase)));
        REQUIRE(core->load_door());
        keeper = std::make_unique<Keeper>(*core, gate, [] { return Result<std::string>("a token"); });
        Lock lock(core->mutex);
        REQUIRE(keeper->entered(lock, {}));
        if (box_state() == State::open) REQUIRE(core->load());
    }
    Result<void> contact() {
        Lock lock(core->mutex);
        return keeper->contact(lock, {});
    }
    void tick(std::optional<Millis> idle_since = std::nullopt, bool online = false, bool refused = false) {
        Lock lock(core->mutex);
        keeper->tick(lock, {idle_since, online, refused}, {});
    }
    Result<void> unlock(std::string_view passphrase = kPassphrase) {
        Lock lock(core->mutex);
        return keeper->unlock(lock, as_bytes(passphrase), {});
    }
    [[nodiscard]] State box_state() const { return core->box->state(); }
    bool file_there(const char* name) const { return std::filesystem::exists(home() / name); }

    // The directory with Anna's device revoked, as the gateway's farewell shows it.
    void revoke(RevokeReason reason, bool by_admin = true) {
        auto record = revoke_by_admin(town.directory.org, anna().user, anna().cert.device, 2);
        record.reason = reason;
        record.effective = kNow;
        if (by_admin) {
            record.signature =
                sign_revoke_admin(town.directory.org.admin.secret, town.directory.org.keys.org, record.body());
        } else {
            record.actor = anna().cert.device;
            record.signature = sign_revoke_device(anna().key.secret, record.body());
        }
        const auto entry = parse_entry(anna().user, records({anna().cert}, {record}), town.directory.org.keys).value();
        town.directory.put(entry);
        town.directory.now = clock.now();
        const auto head = town.directory.publish();
        *gate.answer.mutable_entry()->mutable_head() =
            town.directory.head_answer(core->provisioning->head.revision, head);
        gate.answer.mutable_entry()->clear_entries();
        *gate.answer.mutable_entry()->add_entries() = town.directory.entry_answer(entry);
        gate.refuses = Errc::device_revoked;
    }
    WipeOrder order() {
        WipeOrder out;
        out.user = anna().user;
        out.device = anna().cert.device;
        out.id = random.id<WipeOrderId>();
        out.issued = clock.now();
        out.expires = out.issued + kDay;
        out.sign(town.directory.org.admin, town.directory.org.directory.secret, town.directory.org.keys.org);
        return out;
    }
    void give(const WipeOrder& o) { gate.answer.set_wipe_order(raw(o.encode())); }
    bool is_wiped() const { return keeper->why() == Why::wiped && !file_there("container.db"); }
};

}  // namespace nimes::test
