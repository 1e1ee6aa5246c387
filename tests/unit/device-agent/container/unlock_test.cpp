// Passphrases, delays, states and the arena.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "container/door.hpp"
#include "fixture.hpp"

using namespace nimes;
using namespace nimes::agent::container;

TEST_CASE("a container opens with its passphrase and with no other") {
    Home home;
    store(*home.create(), Table::settings, 7, "kept");
    auto container = home.open();
    CHECK(container->state() == State::shut);
    CHECK(container->begin().error().code == Errc::locked);
    CHECK(container->unlock(text("korrekt pferd ")).error().code == Errc::passphrase_wrong);
    CHECK(container->state() == State::shut);
    CHECK(container->wrong_tries() == 1);
    REQUIRE(container->unlock(text("korrekt pferd")));
    CHECK(container->state() == State::open);
    CHECK(container->wrong_tries() == 0);
    CHECK(load(*container, Table::settings, 7) == "kept");
}

TEST_CASE("from the third wrong passphrase on the next try must wait, longer each time") {
    Home home;
    home.create();
    auto container = home.open();
    for (int i = 0; i < 3; ++i) CHECK(container->unlock(text("falsch")).error().code == Errc::passphrase_wrong);
    CHECK(container->wait_before_try() == 5 * kSecond);
    CHECK(container->unlock(text("korrekt pferd")).error().code == Errc::passphrase_wait);
    CHECK(container->wrong_tries() == 3);

    SECTION("the wall clock has no say") {
        home.clock.wall += kDay;
        CHECK(container->unlock(text("korrekt pferd")).error().code == Errc::passphrase_wait);
    }
    SECTION("neither has a restart of the process") {
        container.reset();
        container = home.open();
        CHECK(container->unlock(text("korrekt pferd")).error().code == Errc::passphrase_wait);
    }
    SECTION("a reboot begins the wait anew") {
        home.clock.up = 2 * kSecond;
        CHECK(container->wait_before_try() == 3 * kSecond);
    }
    SECTION("it doubles") {
        home.clock.up += 5 * kSecond;
        CHECK(container->unlock(text("falsch")).error().code == Errc::passphrase_wrong);
        CHECK(container->wait_before_try() == 10 * kSecond);
    }
    home.clock.up += 2 * kHour;
    CHECK(container->unlock(text("korrekt pferd")));
}

TEST_CASE("delays grow to an hour and no further") {
    CHECK(delay_after(0) == 0);
    CHECK(delay_after(2) == 0);
    CHECK(delay_after(3) == 5 * kSecond);
    CHECK(delay_after(4) == 10 * kSecond);
    CHECK(delay_after(100) == kHour);
    CHECK(delay_after(0xffffffff) == kHour);
}

namespace {
// Notes how often the count stood when the half was asked for.
class WatchingKeystore final : public Keystore {
  public:
    explicit WatchingKeystore(Keystore& below) : below_(below) {}
    Result<void> store(unsigned place, const Secret<32>& half) override { return below_.store(place, half); }
    Result<Secret<32>> load(unsigned place) override {
        if (auto tries = below_.load_tries()) wrong_at_load = tries->wrong;
        return below_.load(place);
    }
    Result<void> erase(unsigned place) override { return below_.erase(place); }
    Result<void> store_tries(const TryCount& tries) override { return below_.store_tries(tries); }
    Result<TryCount> load_tries() override { return below_.load_tries(); }
    Result<void> store_lease(const Secret<Lease::kBytes>& lease) override { return below_.store_lease(lease); }
    Result<Secret<Lease::kBytes>> load_lease() override { return below_.load_lease(); }
    Result<void> erase_lease() override { return below_.erase_lease(); }
    [[nodiscard]] std::string_view protection() const override { return below_.protection(); }
    std::uint32_t wrong_at_load = 99;

  private:
    Keystore& below_;
};
}  // namespace

TEST_CASE("a try is counted before it is made") {
    Home home;
    home.create();
    WatchingKeystore watching(home.keystore);
    auto container = Container::open(home.take_lock(), {watching, home.clock, home.random});
    REQUIRE(container);
    REQUIRE((*container)->unlock(text("korrekt pferd")));
    CHECK(watching.wrong_at_load == 1);
    CHECK((*container)->wrong_tries() == 0);
}

TEST_CASE("locking zeroes every key but the identity, shutting every one") {
    Home home;
    auto container = home.create();
    CHECK(container->identity().error().code == Errc::not_enrolled);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    door.info = to_bytes(text("gateway"));
    REQUIRE(container->set_door(door));
    const auto expected = signing_key_from_seed(door.identity_seed.view()).public_key;
    store(*container, Table::messages, 1, "hallo");

    auto transaction = container->begin();
    REQUIRE(transaction);
    container->lock();
    CHECK(container->state() == State::door);
    CHECK(transaction->get(Table::messages, 1).error().code == Errc::locked);
    CHECK(transaction->commit().error().code == Errc::locked);
    CHECK(container->begin().error().code == Errc::locked);
    CHECK(container->identity()->public_key == expected);
    CHECK(string_of(*container->door_info()) == "gateway");
    CHECK_FALSE(container->arena().is_zero());

    container->shut();
    CHECK(container->arena().is_zero());
    CHECK(container->identity().error().code == Errc::locked);

    REQUIRE(container->unlock(text("korrekt pferd")));
    CHECK(container->identity()->public_key == expected);
    CHECK(load(*container, Table::messages, 1) == "hallo");
}

TEST_CASE("an owner checks a second client's passphrase, and wrong ones count") {
    Home home;
    auto container = home.create();
    CHECK(container->check_passphrase(text("korrekt pferd")));
    CHECK(container->check_passphrase(text("falsch")).error().code == Errc::passphrase_wrong);
    CHECK(container->wrong_tries() == 1);
    CHECK(container->check_passphrase(text("korrekt pferd")));
    CHECK(container->wrong_tries() == 0);
    container->lock();
    CHECK(container->check_passphrase(text("korrekt pferd")).error().code == Errc::locked);
}

TEST_CASE("without the keystore's half, or with another, the passphrase opens nothing") {
    Home home;
    home.create();
    const auto half = home.path() / "keystore" / "half-0";
    SECTION("gone") {
        std::filesystem::remove(half);
        CHECK(home.open()->unlock(text("korrekt pferd")).error().code == Errc::storage);
    }
    SECTION("another") {
        Secret<32> other;
        home.random.fill(other.edit());
        REQUIRE(home.keystore.store(0, other));
        CHECK(home.open()->unlock(text("korrekt pferd")).error().code == Errc::passphrase_wrong);
    }
    SECTION("open to others") {
        chmod(half.c_str(), 0644);
        CHECK(home.open()->unlock(text("korrekt pferd")).error().code == Errc::forbidden);
    }
}

TEST_CASE("one process owns a home, and nobody else may look into it") {
    Home home;
    {
        auto first = HomeLock::acquire(home.path());
        REQUIRE(first);
        CHECK(HomeLock::acquire(home.path()).error().code == Errc::busy);
        const auto child = fork();
        if (child == 0) _exit(HomeLock::acquire(home.path()).error().code == Errc::busy ? 0 : 1);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(HomeLock::acquire(home.path()));
    chmod(home.path().c_str(), 0755);
    CHECK(HomeLock::acquire(home.path()).error().code == Errc::forbidden);
    auto made = HomeLock::acquire(home.path() / "new");
    REQUIRE(made);
    struct stat is {};
    REQUIRE(stat((home.path() / "new").c_str(), &is) == 0);
    CHECK((is.st_mode & 0777) == 0700);
}

TEST_CASE("a container is made once, and its files are for the owner alone") {
    Home home;
    CHECK(Container::open(home.take_lock(), home.around()).error().code == Errc::not_enrolled);
    home.create();
    CHECK(Container::create(home.take_lock(), text("x"), PassphraseCost::least(), home.around()).error().code ==
          Errc::already_enrolled);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
        INFO(entry.path());
        CHECK((entry.status().permissions() & std::filesystem::perms(077)) == std::filesystem::perms::none);
    }
}

TEST_CASE("the arena hands out zeroed slots, takes them back zeroed, and says when it is full") {
    auto arena = Arena::create();
    REQUIRE(arena);
    std::vector<HotKey> keys;
    const ByteArray<32> ones = [] {
        ByteArray<32> out{};
        out.fill(0xff);
        return out;
    }();
    for (std::size_t i = 0; i < Arena::kSlots; ++i) keys.push_back(std::move(*(*arena)->take(ones)));
    CHECK((*arena)->take().error().code == Errc::internal);
    CHECK((*arena)->take(ByteView(ones).first(31)).error().code == Errc::internal);
    HotKey moved = std::move(keys[3]);
    CHECK(keys[3].empty());
    keys.clear();
    CHECK_FALSE((*arena)->is_zero());
    moved.reset();
    CHECK((*arena)->is_zero());
}

TEST_CASE("a hardened process cannot be dumped") {
    const auto child = fork();
    if (child == 0) {
        rlimit cores{1, 1};
        const bool hardened = harden_process() && getrlimit(RLIMIT_CORE, &cores) == 0 && cores.rlim_max == 0 &&
                              prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        _exit(hardened ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
}
