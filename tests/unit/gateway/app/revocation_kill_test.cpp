// kill -9 at every point of a revocation, over RocksDB and with the real rooms: before and after each step of each
// room, before and after each commit of each of them. Then another process finds the store, and brings it to its end.
//
// The parent starts no thread and opens no store; each life is a process of its own.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "../directory/office.hpp"
#include "../store/folder.hpp"
#include "app/adapters.hpp"
#include "app/revocation_hands.hpp"
#include "mailbox/conversations.hpp"
#include "mailbox/mailboxes.hpp"
#include "revocation/runner.hpp"

using namespace nimes;
using namespace nimes::gateway;
using directory::Handset;

namespace {

constexpr int kFinished = 0, kWrong = 3;

struct Countdown {
    std::size_t left = 0;  // 0: never
    void pass() {
        if (left != 0 && --left == 0) ::raise(SIGKILL);
    }
};

struct MortalStore final : store::Store {
    std::unique_ptr<store::Store> inner;
    Countdown& countdown;
    std::atomic<std::size_t> synced = 0;
    MortalStore(const std::filesystem::path& folder, Countdown& c) : inner(folders::open(folder)), countdown(c) {}
    using Store::commit;
    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        if (sync == store::Sync::yes) ++synced;
        countdown.pass();
        auto done = inner->commit(batches, sync);
        countdown.pass();
        return done;
    }
    Result<std::optional<Bytes>> get(const store::Partition& p, std::string_view k) override {
        return inner->get(p, k);
    }
    Result<std::vector<store::Record>> scan(const store::Partition& p, std::string_view from, std::string_view until,
                                            std::size_t limit) override {
        return inner->scan(p, from, until, limit);
    }
    Result<std::optional<store::Record>> last(const store::Partition& p, std::string_view from,
                                              std::string_view until) override {
        return inner->last(p, from, until);
    }
    Result<std::vector<std::string>> partitions(store::Family f, std::string_view from, std::size_t limit) override {
        return inner->partitions(f, from, limit);
    }
    Result<void> drop(const store::Partition& p) override {
        countdown.pass();
        auto done = inner->drop(p);
        countdown.pass();
        return done;
    }
    Result<void> check() override { return inner->check(); }
};

struct NoMedia final : mailbox::MediaLinks {
    Result<void> link(const BlobId&, const DeviceId&, Millis) override { return {}; }
};
struct NoOutlet final : mailbox::Outlet {
    void send(const DeviceId&, ByteView) override {}
    void done(std::size_t, std::uint64_t) override {}
    void flush() override {}
};

// The rooms that have to do with a revocation, as `app` joins them.
struct Rooms {
    Countdown countdown;
    MortalStore store;
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<directory::Directory> directory =
        directory::Directory::open(store, directory::secrets(), clock, random).value();
    app::ShareDevices devices{*directory, {}, clock};
    app::OrgSigner signer{directory->secrets()};
    shares::Shares shares{store, devices, {Key(ByteArray<32>{5}), std::nullopt, random}};
    shares::WipeOrders wipes{store, devices, signer, clock, random};
    directory::PolicyBook policy{store, directory->secrets(), clock};
    app::MailboxPeople people{*directory, policy};
    NoMedia media;
    NoOutlet outlet;
    operations::Metrics metrics{"test", "test"};
    std::ostringstream lines;
    operations::Log log{clock, operations::Level::error, lines};
    mailbox::Mailroom mailroom{{store, people, media, outlet, clock, metrics, log}, {}};
    http::Server server;
    app::RevocationHands hands{{store, *directory, server, mailroom, shares, wipes, devices, nullptr}};
    app::RevocationNames names{*directory};
    std::unique_ptr<audit::Log> audit = audit::Log::open(store, clock).value();
    app::RightsPeople rights_people{*directory};
    std::unique_ptr<rights::Administrators> administrators =
        rights::Administrators::open(store, rights_people, clock, random).value();
    app::OwnerKeeper keeper{*administrators};
    revocation::Runner runner{{store, hands, names, keeper, *audit, clock, log}};

    explicit Rooms(const std::filesystem::path& folder) : store(folder, countdown) { mailroom.start(); }
    ~Rooms() { mailroom.stop(); }
};

void must(bool so, const char* what) {
    if (so) return;
    std::fprintf(stderr, "not so: %s\n", what);
    ::_exit(kWrong);
}

DeviceId anna_phone(const Rooms& rooms) {
    return rooms.directory->devices(rooms.directory->person(directory::Office::address(1))->user).at(0).cert.device;
}
DeviceId bernd_phone(const Rooms& rooms) {
    return rooms.directory->devices(rooms.directory->person(directory::Office::address(2))->user).at(0).cert.device;
}
const ConversationId kTalk = ConversationId::from(Bytes(16, 7));

DeviceId enrol(Rooms& rooms, int n, std::uint8_t key) {
    must(rooms.directory->put_person({directory::Office::address(n), "Meyer", "PHK", "Celle"}).has_value(), "person");
    const auto pair = directory::key_pair(key);
    auto cert = rooms.directory
                    ->draft(rooms.directory->person(directory::Office::address(n))->user, pair.public_key,
                            DeviceRole::service, Admission::first, 1, rooms.clock.now())
                    .value();
    cert.self_signature = sign_cert_self(pair.secret, cert.body());
    return rooms.directory->certify(cert).value().device;
}

// Anna's phone has a share and a mailbox, and holds a chain that Bernd sends under.
void prepare(const std::filesystem::path& folder) {
    Rooms rooms(folder);
    const auto anna = enrol(rooms, 1, 20), bernd = enrol(rooms, 2, 21);
    must(rooms.shares.put(anna, {1, Secret<32>(Bytes(32, 9))}).has_value(), "share");
    store::Batch box(mailbox::Mailboxes::partition(anna));
    box.put("a", Bytes(8, 1));
    must(rooms.store.commit(box, store::Sync::yes).has_value(), "mailbox");
    store::Batch chain(mailbox::Conversations::partition(kTalk));
    mailbox::Conversations(rooms.store).plan_grant(kTalk, bernd, ChainId::from(Bytes(16, 3)), {anna}, chain);
    must(rooms.store.commit(chain, store::Sync::yes).has_value(), "chain");
}

void settle(Rooms& rooms) {
    for (int i = 0; i < 3'000; ++i) {
        rooms.runner.round();
        rooms.runner.told(rooms.directory->mirror_revision());
        (void)rooms.runner.obeyed(rooms.directory->mirror_revision());
        const auto known = rooms.runner.find(1);
        must(known.has_value(), "the journal is readable");
        if (*known && (*known)->ended != 0) return;
        if (!*known) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    must(false, "the order comes to its end");
}

revocation::Draft theft(const DeviceId& device) {
    revocation::Draft out;
    out.kind = revocation::Kind::revoke;
    out.reason = RevokeReason::stolen;
    out.wipe = true;
    out.scope = "device";
    out.who = "uid 998";
    out.devices = {device};
    return out;
}

void live(const std::filesystem::path& folder, std::size_t dies_at) {
    Rooms rooms(folder);
    must(rooms.runner.load().has_value(), "load");
    const auto device = anna_phone(rooms);
    rooms.countdown.left = dies_at;
    must(rooms.runner.order(theft(device)).has_value(), "order");
    settle(rooms);
    rooms.countdown.left = 0;
}

// The next process. What was never journalled is not there; all else is done, once.
void go_on(const std::filesystem::path& folder) {
    Rooms rooms(folder);
    must(rooms.runner.load().has_value(), "load");
    settle(rooms);
    const auto device = anna_phone(rooms);
    const auto order = rooms.runner.find(1).value();
    must(rooms.audit->head().seq == (order ? 1 : 0), "one entry in the audit for one order");
    if (!order) {
        must(rooms.directory->admit(device).has_value(), "nothing was done that was not ordered");
        must(rooms.shares.get(device).has_value(), "its share is there");
        return;
    }
    must(!rooms.runner.find(2).value(), "it was ordered once");
    must(order->complete() && order->ended != 0, "complete");
    must(rooms.directory->admit(device).error().code == Errc::device_revoked, "revoked");
    must(rooms.store.scan({store::Family::directory, "share" + std::string(as_text(device.view()))}, "s", "t", 1)
             ->empty(),
         "the share is gone");
    must(rooms.store.scan(mailbox::Mailboxes::partition(device), "", "", 1)->empty(), "the mailbox is gone");
    must(rooms.wipes.facts(device)->ordered != 0, "the wipe is ordered");
    must(order->owed == std::vector{revocation::Owed{kTalk, bernd_phone(rooms), ChainId::from(Bytes(16, 3))}}, "owed");
    // Bernd opens a new chain.
    store::Batch chain(mailbox::Conversations::partition(kTalk));
    mailbox::Conversations(rooms.store).plan_grant(kTalk, bernd_phone(rooms), ChainId::from(Bytes(16, 4)), {}, chain);
    must(rooms.store.commit(chain, store::Sync::yes).has_value(), "chain");
    auto left = order->owed;
    must(rooms.hands.drop_renewed(left).has_value() && left.empty(), "nothing is owed");
}

template <class Life>
int status_of(const Life& life) {
    const auto child = ::fork();
    if (child == 0) {
        life();
        ::_exit(kFinished);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

}  // namespace

TEST_CASE("of many devices at once messages wait for a few syncs, not for some of each device") {
    constexpr int kMany = 150;
    const folders::Folder folder;
    CHECK(status_of([&] {
              Rooms rooms(folder.path / "many");
              auto all = theft({});
              all.devices.clear();
              for (int n = 1; n <= kMany; ++n) {
                  all.devices.push_back(enrol(rooms, n, static_cast<std::uint8_t>(n)));
                  must(rooms.shares.put(all.devices.back(), {1, Secret<32>(Bytes(32, 9))}).has_value(), "share");
              }
              const auto before = rooms.store.synced.load();
              must(rooms.runner.order(all).has_value(), "order");
              settle(rooms);
              must(rooms.runner.find(1).value()->ended != 0, "it is done");
              for (const auto& device : all.devices)
                  must(rooms.wipes.facts(device)->ordered != 0, "the wipe is ordered");
              must(rooms.store.synced - before < kMany / 8, "few syncs");
          }) == kFinished);
}

TEST_CASE(
    "kill -9 at every point of a revocation: the next start brings it to its end, once, or it was never ordered") {
    const folders::Folder folder;
    const auto fresh = folder.path / "fresh";
    REQUIRE(status_of([&] { prepare(fresh); }) == kFinished);
    std::size_t killed = 0;
    for (std::size_t n = 1;; ++n) {
        INFO("killed at point " << n);
        const auto here = folder.path / "here";
        std::filesystem::remove_all(here);
        std::filesystem::copy(fresh, here, std::filesystem::copy_options::recursive);
        const auto status = status_of([&] { live(here, n); });
        REQUIRE((status == kFinished || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)));
        REQUIRE(status_of([&] { go_on(here); }) == kFinished);
        if (status == kFinished) break;
        ++killed;
    }
    CHECK(killed > 30);
}
