// What a thief reads of a handset's files, state by state of the table of exposure (FORMATS.md 2.16): each test takes a
// copy of them and tries with the passphrase and without. The rows that speak of the network are the other tests'
// matter.
#include <set>

#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using namespace nimes::agent::container;

namespace {

constexpr std::string_view kPassphrase = "korrekt pferd batterie";
constexpr std::string_view kContent = "Treffpunkt Hauptbahnhof";
constexpr std::string_view kEnvelope = "an envelope as it came";
const LeaseTerms kMemoryOnly{12 * kHour, false};
const LeaseTerms kRestarts{12 * kHour, true};

Share share_of(std::uint8_t byte) {
    ByteArray<32> bytes{};
    bytes.fill(byte);
    return {1, Secret<32>(ByteView(bytes))};
}

// A handset that needs the share 5, open, with something to read in it.
std::unique_ptr<Container> handset(Home& home, const LeaseTerms& terms) {
    auto container = home.create(kPassphrase);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    REQUIRE(container->set_door(door));
    store(*container, Table::messages, 1, kContent);
    REQUIRE(container->adopt_share(share_of(5), terms));
    return container;
}

// The files of a home as they are at this moment, while its owner goes on.
struct Image {
    Home home;
    explicit Image(const Home& victim) {
        for (const auto* name : {"container.db", "container.db-wal"})
            if (std::filesystem::exists(victim.path() / name))
                std::filesystem::copy_file(victim.path() / name, home.path() / name);
        std::filesystem::copy(victim.path() / "keystore", home.path() / "keystore",
                              std::filesystem::copy_options::recursive);
        home.clock = victim.clock;
    }
    [[nodiscard]] bool holds(std::string_view text) const {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path()))
            if (entry.is_regular_file())
                if (string_of(file_bytes(entry.path())).find(text) != std::string::npos) return true;
        return false;
    }
    // What the thief reads with these; "" when nothing opens.
    std::string reads(std::string_view passphrase, const Share* share = nullptr) {
        auto container = home.open();
        if (!container->unlock(text(passphrase))) return "";
        if (share != nullptr && container->waits_for_share()) (void)container->open_with(*share, kMemoryOnly);
        if (container->state() != State::open) return "";
        return load(*container, Table::messages, 1);
    }
};

}  // namespace

TEST_CASE("stolen while open") {
    // The disk gives nothing: only who holds the running process reads.
    Home home;
    auto container = handset(home, kMemoryOnly);
    Image image(home);
    CHECK_FALSE(image.holds(kContent));
    CHECK(image.reads("falsch").empty());
    CHECK(image.reads(kPassphrase).empty());
    CHECK(load(*container, Table::messages, 1) == kContent);
}

TEST_CASE("stolen while locked") {
    Home home;
    auto container = handset(home, kMemoryOnly);
    container->lock();
    const std::vector<Arrival> arrivals{{2, 1, to_bytes(text(kEnvelope))}};
    REQUIRE(container->put_arrivals(arrivals, 30'000));
    Image image(home);
    // What the table grants: the envelopes that wait, as they came.
    CHECK(image.holds(kEnvelope));
    // And what it does not.
    CHECK_FALSE(image.holds(kContent));
    CHECK(image.reads("falsch").empty());
    CHECK(image.reads(kPassphrase).empty());
    const auto wrong = share_of(6), right = share_of(5);
    CHECK(image.reads(kPassphrase, &wrong).empty());
    CHECK(image.reads("falsch", &right).empty());
    // All three together are what opens it: the image is whole.
    CHECK(image.reads(kPassphrase, &right) == kContent);
}

TEST_CASE("image and passphrase after the revocation") {
    Home home;
    SECTION("the share is deleted, and no lease runs") {
        handset(home, kMemoryOnly).reset();
        Image image(home);
        CHECK(image.reads(kPassphrase).empty());
        CHECK(image.reads("falsch").empty());
    }
    SECTION("a lease in the keystore still runs: as open, up to then") {
        auto container = handset(home, kRestarts);
        Image image(home);
        store(*container, Table::messages, 2, "after the copy");
        CHECK(image.reads("falsch").empty());
        CHECK(image.reads(kPassphrase) == kContent);
        CHECK_FALSE(image.holds("after the copy"));
    }
    SECTION("the lease is over") {
        handset(home, kRestarts).reset();
        Image image(home);
        image.home.clock.wall += 12 * kHour;
        CHECK(image.reads(kPassphrase).empty());
        image.home.clock.wall -= 12 * kHour;  // it was erased, and no clock brings it back
        CHECK(image.reads(kPassphrase).empty());
    }
    SECTION("the clock is turned back") {
        handset(home, kRestarts).reset();
        Image image(home);
        image.home.clock.wall -= 30 * kDay;
        CHECK(image.reads(kPassphrase).empty());
    }
}

TEST_CASE("suspended") {
    Home home;
    auto container = handset(home, kRestarts);
    REQUIRE(container->end_lease());
    CHECK(container->begin().error().code == Errc::locked);
    Image image(home);
    CHECK(image.reads(kPassphrase).empty());
    CHECK(image.reads("falsch").empty());
}

TEST_CASE("wiped") {
    Home home;
    auto container = handset(home, kRestarts);
    Image before(home);
    REQUIRE(container->wipe());
    CHECK(container->begin().error().code == Errc::locked);
    container = nullptr;
    // Nothing of it is on the disk, whatever the thief knows.
    CHECK_FALSE(std::filesystem::exists(home.database()));
    CHECK(std::filesystem::exists(before.home.database()));
    CHECK(Container::open(home.take_lock(), home.around()).error().code == Errc::not_enrolled);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path()))
        CHECK(std::set<std::string>{"keystore", "tries", "lock"}.contains(entry.path().filename().string()));
}

TEST_CASE("a clone reads nothing of what was erased before it was taken") {
    Home home;
    auto container = handset(home, kRestarts);
    const auto today = static_cast<std::uint32_t>(home.clock.wall / kDay);
    store(*container, Table::messages, 2, "Losung von gestern", {today, {}});
    Image with(home);
    REQUIRE(container->expire(home.clock.wall));
    Image without(home);
    const auto second = [](Image& image) {
        auto clone = image.home.open();
        REQUIRE(clone->unlock(text(kPassphrase)));
        return load(*clone, Table::messages, 2);
    };
    CHECK(second(with) == "Losung von gestern");
    CHECK(second(without) == "nothing");
    CHECK(without.reads(kPassphrase) == kContent);
}
