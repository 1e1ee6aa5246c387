// A handset that dies at any write while its keys are changed, its share is taken, or it is wiped.
#include <sys/wait.h>

#include "fixture.hpp"
#include "unit/device-agent/engine/write_points.hpp"

namespace nimes::agent::container {
namespace {

using test::Cut;

constexpr std::string_view kPassphrase = "korrekt pferd";
const LeaseTerms kRestarts{12 * kHour, true};
const LeaseTerms kMemoryOnly{12 * kHour, false};

std::filesystem::path memory() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

Share the_share() {
    ByteArray<32> bytes{};
    bytes.fill(5);
    return {1, Secret<32>(ByteView(bytes))};
}

// A home at a place that is given, where Home has one of its own.
struct Place {
    std::filesystem::path path;
    TestClock clock;
    SystemRandom random;
    FileKeystore keystore{path / "keystore"};

    Result<std::unique_ptr<Container>> open() {
        auto lock = HomeLock::acquire(path);
        if (!lock) return pass(lock);
        return Container::open(std::move(*lock), {keystore, clock, random});
    }
    // Open, whatever it takes.
    std::unique_ptr<Container> opened() {
        auto container = open();
        REQUIRE(container);
        REQUIRE((*container)->unlock(text(kPassphrase)));
        if ((*container)->waits_for_share()) REQUIRE((*container)->open_with(the_share(), kMemoryOnly));
        return std::move(*container);
    }
    void expect_all_there() {
        auto container = opened();
        CHECK(load(*container, Table::settings, 7) == "kept");
        CHECK(load(*container, Table::send_chains, 1) == "chain");
        CHECK(container->identity());
        CHECK(container->wrong_tries() == 0);
    }
    void make(bool with_share, const LeaseTerms& terms) {
        auto lock = HomeLock::acquire(path);
        REQUIRE(lock);
        auto made =
            Container::create(std::move(*lock), text(kPassphrase), PassphraseCost::least(), {keystore, clock, random});
        REQUIRE(made);
        DoorContent door;
        random.fill(door.identity_seed.edit());
        REQUIRE((*made)->set_door(door));
        store(**made, Table::settings, 7, "kept");
        store(**made, Table::send_chains, 1, "chain");
        if (with_share) REQUIRE((*made)->adopt_share(the_share(), terms));
        std::filesystem::create_directory(path / "media");
        std::ofstream(path / "media" / "x") << "sealed";
    }
};

using Act = std::function<void(Place&)>;

// Runs `act` on a copy of `first`, cut off at each write in turn and in each way; `look` sees what is left.
std::uint64_t cut_everywhere(const std::filesystem::path& first, const Act& act, const Act& look) {
    std::uint64_t points = 0;
    for (const auto how : {Cut::kill, Cut::torn, Cut::power}) {
        for (std::uint64_t point = 0;; ++point) {
            INFO("cut at write point " << point << ", " << static_cast<int>(how));
            const TempDir folder(memory());
            const auto home = folder.path() / "home", shadow = folder.path() / "shadow";
            std::filesystem::copy(first, home, std::filesystem::copy_options::recursive);
            std::filesystem::create_directory(shadow);
            std::fflush(nullptr);
            const auto child = ::fork();
            if (child == 0) {
                Place place{home, {}, {}};
                test::watch(home, shadow, point, how);
                act(place);
                ::_exit(0);
            }
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            REQUIRE(WIFEXITED(status));
            REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == test::kCutExit));
            Place place{home, {}, {}};
            look(place);
            points = std::max(points, point);
            if (WEXITSTATUS(status) == 0) break;
        }
    }
    return points;
}

void child_requires(bool ok) {
    if (!ok) ::_exit(3);
}

bool is_empty(const Place& place) {
    for (const auto* name : {"container.db", "container.db-wal", "keystore/half-0", "keystore/half-1", "keystore/lease",
                             "media", "wiping"})
        if (std::filesystem::exists(place.path / name)) return false;
    return true;
}

}  // namespace

TEST_CASE("a disk that is full in the middle of a transaction ends it: nothing of it stands, nor what comes behind") {
    const TempDir folder;
    const auto home = folder.path() / "home", shadow = folder.path() / "shadow";
    Place place{home, {}, {}};
    place.make(false, kRestarts);
    std::filesystem::create_directory(shadow);
    auto container = place.opened();
    int lost = 0;
    test::watch(home, shadow, 0, Cut::full);
    {
        auto tx = container->begin();
        REQUIRE(tx);
        tx->if_lost([&] { ++lost; });
        const Bytes large(200'000, 0x5a);  // more than SQLite keeps in memory until the commit
        Result<void> put{};
        for (std::uint64_t id = 1; put && id < 40; ++id) put = tx->put(Table::messages, id, large);
        REQUIRE_FALSE(put);
        test::unwatch();  // there is room again
        CHECK_FALSE(tx->put(Table::settings, 8, text("behind it")));
        CHECK_FALSE(tx->erase(Table::settings, 7));
        CHECK_FALSE(tx->commit());
        CHECK(lost == 1);
    }
    CHECK(lost == 1);
    auto after = container->begin();
    REQUIRE(after);
    CHECK_FALSE(after->get(Table::settings, 8).value());
    CHECK(after->get(Table::settings, 7).value());
    CHECK(after->count(Table::messages).value() == 0);
}

TEST_CASE("taking a share, cut off anywhere, leaves a container that opens with or without it") {
    const TempDir folder(memory());
    Place{folder.path(), {}, {}}.make(false, kMemoryOnly);
    const auto points = cut_everywhere(
        folder.path(),
        [](Place& place) {
            auto container = place.open();
            child_requires(container && (*container)->unlock(text(kPassphrase)));
            child_requires((*container)->adopt_share(the_share(), kRestarts).has_value());
        },
        [](Place& place) { place.expect_all_there(); });
    CHECK(points > 20);
}

TEST_CASE("the new day's keys, cut off anywhere, leave a container that opens") {
    const TempDir folder(memory());
    Place{folder.path(), {}, {}}.make(true, kMemoryOnly);
    const auto points = cut_everywhere(
        folder.path(),
        [](Place& place) {
            place.clock.wall += kDay;
            auto container = place.open();
            child_requires(container && (*container)->unlock(text(kPassphrase)));
            child_requires((*container)->open_with(the_share(), kRestarts).has_value());
        },
        [](Place& place) {
            place.clock.wall += kDay;
            place.expect_all_there();
            place.expect_all_there();
        });
    CHECK(points > 20);
}

TEST_CASE("a wipe, cut off anywhere once it began, goes on to the end, and before that has done nothing") {
    const TempDir folder(memory());
    Place{folder.path(), {}, {}}.make(true, kRestarts);
    std::uint64_t untouched = 0;
    const auto points = cut_everywhere(
        folder.path(),
        [](Place& place) {
            auto container = place.open();
            child_requires(container && (*container)->unlock(text(kPassphrase)));
            (void)(*container)->wipe();
        },
        [&](Place& place) {
            const bool begun = std::filesystem::exists(place.path / "wiping");
            auto container = place.open();
            if (container) {
                CHECK_FALSE(begun);
                container->reset();
                place.expect_all_there();
                ++untouched;
                return;
            }
            CHECK(container.error().code == Errc::not_enrolled);
            CHECK(is_empty(place));
        });
    CHECK(points > 20);
    CHECK(untouched >= 3);  // the cuts before the mark
}

TEST_CASE("the tenth wrong passphrase, cut off anywhere, is used up") {
    const TempDir folder(memory());
    {
        Place place{folder.path(), {}, {}};
        place.make(true, kRestarts);
        REQUIRE(place.keystore.store_tries({9, 0}));
    }
    const auto points = cut_everywhere(
        folder.path(),
        [](Place& place) {
            auto container = place.open();
            child_requires(container.has_value());
            (void)(*container)->unlock(text("falsch"));
        },
        [](Place& place) {
            const auto tries = place.keystore.load_tries();
            const bool counted = tries && tries->wrong >= kMostWrong;
            auto container = place.open();
            if (!container) {
                CHECK(is_empty(place));
                return;
            }
            // The right one after a try that nobody counted opens; after the tenth nothing does.
            const auto unlocked = (*container)->unlock(text(kPassphrase));
            REQUIRE(unlocked.has_value() != counted);
            if (counted) CHECK(unlocked.error().code == Errc::not_enrolled);
        });
    CHECK(points > 0);
}

TEST_CASE("a full disk puts changes off and wipes nothing") {
    // /dev/full would be another file; what stands in for it is a keystore that cannot be written.
    class FullKeystore final : public Keystore {
      public:
        explicit FullKeystore(Keystore& below) : below_(below) {}
        Result<void> store(unsigned, const Secret<32>&) override { return fail(Errc::disk_full); }
        Result<Secret<32>> load(unsigned place) override { return below_.load(place); }
        Result<void> erase(unsigned place) override { return below_.erase(place); }
        Result<void> store_tries(const TryCount& tries) override { return below_.store_tries(tries); }
        Result<TryCount> load_tries() override { return below_.load_tries(); }
        Result<void> store_lease(const Secret<Lease::kBytes>&) override { return fail(Errc::disk_full); }
        Result<Secret<Lease::kBytes>> load_lease() override { return below_.load_lease(); }
        Result<void> erase_lease() override { return below_.erase_lease(); }
        [[nodiscard]] std::string_view protection() const override { return below_.protection(); }

      private:
        Keystore& below_;
    };
    Home home;
    auto made = home.create(kPassphrase);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    REQUIRE(made->set_door(door));
    store(*made, Table::settings, 7, "kept");
    made = nullptr;
    FullKeystore full(home.keystore);
    home.clock.wall += kDay;
    auto container = Container::open(home.take_lock(), {full, home.clock, home.random});
    REQUIRE(container);
    REQUIRE((*container)->unlock(text(kPassphrase)));
    CHECK((*container)->adopt_share(the_share(), kRestarts).error().code == Errc::disk_full);
    CHECK(load(**container, Table::settings, 7) == "kept");
    container->reset();
    CHECK(load(*home.unlocked(kPassphrase), Table::settings, 7) == "kept");
}

}  // namespace nimes::agent::container
