// The gateway's share, its lease, and the end of a home.
#include "container/wipe.hpp"

#include <algorithm>

#include "fixture.hpp"

using namespace nimes;
using namespace nimes::agent::container;

namespace {

constexpr std::string_view kPassphrase = "korrekt pferd";
const LeaseTerms kMemoryOnly{12 * kHour, false};
const LeaseTerms kRestarts{12 * kHour, true};

Share share_of(std::uint8_t byte, std::uint32_t number = 1) {
    ByteArray<32> bytes{};
    bytes.fill(byte);
    return {number, Secret<32>(ByteView(bytes))};
}

// With an identity, and from now on a share.
std::unique_ptr<Container> with_share(Home& home, const LeaseTerms& terms) {
    auto container = home.create(kPassphrase);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    door.info = to_bytes(text("gateway"));
    REQUIRE(container->set_door(door));
    store(*container, Table::settings, 7, "kept");
    store(*container, Table::send_chains, 1, "chain");
    REQUIRE(container->adopt_share(share_of(5), terms));
    CHECK(container->share_number() == 1);
    CHECK(load(*container, Table::settings, 7) == "kept");
    CHECK(load(*container, Table::send_chains, 1) == "chain");
    return container;
}

bool file_there(const Home& home, const char* name) { return std::filesystem::exists(home.path() / name); }

}  // namespace

TEST_CASE("a container with a share opens by passphrase and share, and by neither alone") {
    Home home;
    with_share(home, kMemoryOnly).reset();
    auto container = home.open();
    CHECK(container->unlock(text("falsch")).error().code == Errc::passphrase_wrong);
    CHECK(container->state() == State::shut);
    CHECK(container->open_with(share_of(5), kMemoryOnly).error().code == Errc::locked);
    REQUIRE(container->unlock(text(kPassphrase)));
    CHECK(container->state() == State::door);
    CHECK(container->wrong_tries() == 0);
    CHECK(container->waits_for_share());
    CHECK(container->identity());
    CHECK(string_of(*container->door_info()) == "gateway");
    CHECK(container->begin().error().code == Errc::locked);
    CHECK(container->open_with(share_of(6), kMemoryOnly).error().code == Errc::proof_invalid);
    CHECK(container->open_with(share_of(5, 2), kMemoryOnly).error().code == Errc::proof_invalid);
    CHECK(container->state() == State::door);
    REQUIRE(container->open_with(share_of(5), kMemoryOnly));
    CHECK(load(*container, Table::settings, 7) == "kept");
}

TEST_CASE("the first opening of a day changes the slots of a container with a share, too") {
    Home home;
    with_share(home, kMemoryOnly).reset();
    const auto half = file_bytes(home.path() / "keystore" / "half-1");
    REQUIRE(half.size() == 32);
    home.clock.wall += kDay;
    auto container = home.unlocked(kPassphrase);
    REQUIRE(container->open_with(share_of(5), kMemoryOnly));
    CHECK_FALSE(file_there(home, "keystore/half-1"));
    CHECK(file_there(home, "keystore/half-0"));
    CHECK(load(*container, Table::send_chains, 1) == "chain");
    container = nullptr;
    container = home.unlocked(kPassphrase);
    REQUIRE(container->open_with(share_of(5), kMemoryOnly));
    CHECK(load(*container, Table::send_chains, 1) == "chain");
}

TEST_CASE("a share is taken once, by who unlocked, behind a door") {
    Home doorless;
    CHECK(doorless.create(kPassphrase)->adopt_share(share_of(5), kMemoryOnly).error().code == Errc::not_enrolled);
    Home home;
    auto container = with_share(home, kMemoryOnly);
    CHECK(container->adopt_share(share_of(9, 2), kMemoryOnly).error().code == Errc::locked);
}

TEST_CASE("a lease in memory ends by either clock, and then nothing is in memory") {
    Home home;
    auto container = with_share(home, kMemoryOnly);
    CHECK_FALSE(file_there(home, "keystore/lease"));
    CHECK_FALSE(container->lease_over());
    SECTION("wall clock") { home.clock.wall += 12 * kHour; }
    SECTION("boot clock") { home.clock.up += 12 * kHour; }
    SECTION("a wall clock that went back") { home.clock.wall -= Lease::kSlack + 1; }
    CHECK(container->lease_over());
    CHECK(container->state() == State::shut);
    CHECK(container->arena().is_zero());
    REQUIRE(container->unlock(text(kPassphrase)));
    CHECK(container->state() == State::door);
}

TEST_CASE("what passes of a lease is the larger of both clocks, added up") {
    Home home;
    auto container = with_share(home, kMemoryOnly);
    home.clock.wall += 5 * kHour;
    home.clock.up += kHour;
    CHECK_FALSE(container->lease_over());
    CHECK(container->lease_left() == 7 * kHour);
    home.clock.wall -= Lease::kSlack;  // a time server's correction
    home.clock.up += 6 * kHour;
    CHECK_FALSE(container->lease_over());
    CHECK(container->lease_left() == kHour);
    REQUIRE(container->renew_lease(kMemoryOnly));
    CHECK(container->lease_left() == 12 * kHour);
    REQUIRE(container->end_lease());
    CHECK(container->state() == State::door);
    CHECK_FALSE(container->waits_for_share());
    CHECK(container->begin().error().code == Errc::locked);
}

TEST_CASE("a lease in the keystore opens after a restart, as long as it runs, and stands in no database") {
    Home home;
    with_share(home, kRestarts).reset();
    REQUIRE(file_there(home, "keystore/lease"));
    for (const auto* name : {"container.db", "container.db-wal"})
        if (file_there(home, name)) {
            const auto bytes = file_bytes(home.path() / name);
            const Bytes share(32, 5);
            CHECK(std::search(bytes.begin(), bytes.end(), share.begin(), share.end()) == bytes.end());
        }
    SECTION("it runs") {
        home.clock.wall += 11 * kHour;
        CHECK(home.unlocked(kPassphrase)->state() == State::open);
    }
    SECTION("locked and unlocked without a word from the gateway") {
        auto container = home.unlocked(kPassphrase);
        container->lock();
        REQUIRE(container->unlock(text(kPassphrase)));
        CHECK(container->state() == State::open);
    }
    SECTION("it is over") {
        home.clock.wall += 12 * kHour;
        CHECK(home.unlocked(kPassphrase)->state() == State::door);
        CHECK_FALSE(file_there(home, "keystore/lease"));
    }
    SECTION("the wall clock went back") {
        home.clock.wall -= kHour;
        CHECK(home.unlocked(kPassphrase)->state() == State::door);
    }
    SECTION("a reboot, and a wall clock that stands still: a lease is used up all the same") {
        int opened = 0;
        for (; opened < 40 && home.unlocked(kPassphrase)->state() == State::open; ++opened) {
            auto container = home.unlocked(kPassphrase);
            home.clock.up += kHour;
            if (container->lease_over()) break;
            container = nullptr;
            home.clock.up = kSecond;
        }
        CHECK(opened == 11);
    }
    SECTION("policy changes its mind") {
        auto container = home.unlocked(kPassphrase);
        REQUIRE(container->renew_lease(kMemoryOnly));
        CHECK_FALSE(file_there(home, "keystore/lease"));
    }
    SECTION("a file that lies opens nothing") {
        auto lease = home.keystore.load_lease();
        REQUIRE(lease);
        lease->edit()[67] ^= 1U;
        REQUIRE(home.keystore.store_lease(*lease));
        CHECK(home.unlocked(kPassphrase)->state() == State::door);
        CHECK_FALSE(file_there(home, "keystore/lease"));
    }
    SECTION("a torn file opens nothing and stops nothing") {
        std::filesystem::resize_file(home.path() / "keystore" / "lease", 20);
        CHECK(home.unlocked(kPassphrase)->state() == State::door);
    }
}

TEST_CASE("ten wrong passphrases in a row end the home") {
    Home home;
    with_share(home, kRestarts).reset();
    auto container = home.open();
    for (int i = 0; i < 9; ++i) {
        CHECK(container->unlock(text("falsch")).error().code == Errc::passphrase_wrong);
        home.clock.up += kHour;
    }
    CHECK(container->wrong_tries() == 9);
    SECTION("the tenth") {
        CHECK(container->unlock(text("falsch")).error().code == Errc::not_enrolled);
        CHECK(container->unlock(text(kPassphrase)).error().code == Errc::not_enrolled);
    }
    SECTION("the tenth, whose answer a power cut kept back") {
        REQUIRE(home.keystore.store_tries({10, home.clock.up}));
        container = nullptr;
        container = home.open();
        CHECK(container->unlock(text(kPassphrase)).error().code == Errc::not_enrolled);
    }
    SECTION("the tenth was right") {
        CHECK(container->unlock(text(kPassphrase)));
        CHECK(container->wrong_tries() == 0);
        return;
    }
    CHECK(container->arena().is_zero());
    container = nullptr;
    CHECK_FALSE(Container::exists(home.path()));
    for (const auto* name : {"container.db", "keystore/half-0", "keystore/half-1", "keystore/lease", "wiping"})
        CHECK_FALSE(file_there(home, name));
    CHECK(home.create("ein neues")->state() == State::open);
}

TEST_CASE("wrong passphrases of a second client count towards the ten") {
    Home home;
    auto container = with_share(home, kRestarts);
    REQUIRE(home.keystore.store_tries({9, 0}));
    home.clock.up += kHour;
    CHECK(container->check_passphrase(text("falsch")).error().code == Errc::not_enrolled);
    CHECK_FALSE(Container::exists(home.path()));
}

TEST_CASE("a wipe leaves the identity in memory and nothing on the disk") {
    Home home;
    auto container = with_share(home, kRestarts);
    std::filesystem::create_directory(home.path() / "media");
    std::ofstream(home.path() / "media" / "x") << "sealed";
    const auto identity = container->identity()->public_key;
    CHECK(container->wipe());
    CHECK(container->identity()->public_key == identity);
    CHECK(container->begin().error().code == Errc::locked);
    CHECK(container->expire(0).error().code == Errc::locked);
    CHECK(container->arrivals(1).error().code == Errc::locked);
    container->shut();
    CHECK(container->arena().is_zero());
    for (const auto* name :
         {"container.db", "container.db-wal", "keystore/half-0", "keystore/half-1", "media", "wiping"})
        CHECK_FALSE(file_there(home, name));
    container = nullptr;
    CHECK(Container::open(home.take_lock(), home.around()).error().code == Errc::not_enrolled);
}

TEST_CASE("what arrives behind the door is kept as it came, once, until its day") {
    Home home;
    auto container = with_share(home, kMemoryOnly);
    container->lock();
    const auto day = static_cast<std::uint32_t>(home.clock.wall / kDay);
    std::vector<Arrival> both;
    both.push_back({2, 8, to_bytes(text("second"))});
    both.push_back({2, 7, to_bytes(text("first"))});
    REQUIRE(container->put_arrivals(both, day + 7));
    REQUIRE(container->put_arrivals(both, day + 7));
    container = nullptr;
    container = home.unlocked(kPassphrase);
    auto kept = container->arrivals(10);
    REQUIRE(kept);
    REQUIRE(kept->size() == 2);
    CHECK(string_of((*kept)[0].envelope) == "first");
    REQUIRE(container->erase_arrivals(2, 7));
    REQUIRE(container->expire((day + 7) * kDay));
    CHECK(container->arrivals(10)->empty());
}

TEST_CASE("what stands among the arrivals and no door has written is left alone") {
    Home home;
    auto container = with_share(home, kMemoryOnly);
    const Arrival good{2, 7, to_bytes(text("good"))};
    REQUIRE(container->put_arrivals({&good, 1}, 99'999));
    container = nullptr;
    home.tamper("INSERT INTO arrivals VALUES(258,9,1,x'00'),(2,'x',1,x'00'),(0,1,1,x'00')");
    container = home.unlocked(kPassphrase);
    CHECK(container->arrivals(10)->size() == 1);
    CHECK(container->arrival_marks().value() == std::map<std::uint8_t, std::uint64_t>{{2, 7}});
    REQUIRE(container->erase_arrivals(2, 7));
    CHECK(container->arrivals(10)->empty());
    CHECK(container->arrival_marks()->empty());
}

TEST_CASE("a container of the first version goes on, and one of a later version is refused") {
    Home home;
    store(*home.create(kPassphrase), Table::settings, 7, "kept");
    SECTION("first") {
        home.tamper("INSERT INTO arrivals VALUES(1,1,1,x'00'); DROP TABLE arrivals; PRAGMA user_version = 1");
        CHECK(load(*home.unlocked(kPassphrase), Table::settings, 7) == "kept");
        CHECK(home.unlocked(kPassphrase)->arrivals(1)->empty());
    }
    SECTION("later") {
        home.tamper("DELETE FROM slots WHERE slot = 9; UPDATE meta SET day = day; PRAGMA user_version = 3");
        CHECK(Container::open(home.take_lock(), home.around()).error().code == Errc::unknown_version);
    }
}
