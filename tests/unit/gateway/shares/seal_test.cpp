// What a copy of the store gives of the handsets' shares: nothing without the key that lies outside of it.
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "../store/folder.hpp"
#include "shares/shares.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::shares;

namespace {

struct Everybody final : Devices {
    std::optional<KnownDevice> find(const DeviceId&) const override { return std::nullopt; }
    Result<void> admit(const DeviceId&) const override { return {}; }
    Result<KnownDevice> recognise(std::string_view) const override { return fail(Errc::token_invalid); }
    Result<v1::LookupAnswer> entry(const UserId&, std::uint64_t) const override { return v1::LookupAnswer{}; }
};

Key key(std::uint8_t n) { return Key(Bytes(32, n)); }

struct Vault {
    folders::Folder folder;
    SystemRandom random;
    Everybody devices;
    std::unique_ptr<store::Store> store;
    const DeviceId anna = DeviceId::from(Bytes(16, 1)), bernd = DeviceId::from(Bytes(16, 2));
    Bytes secret = Bytes(32);

    Vault() {
        REQUIRE(crypto_init());
        random.fill(secret);
        store = folders::open(folder.path);
    }
    Shares shares(std::uint8_t now, std::optional<std::uint8_t> before = std::nullopt) {
        return {*store, devices, {key(now), before ? std::optional(key(*before)) : std::nullopt, random}};
    }
    static store::Partition of(const DeviceId& device) {
        return {store::Family::directory, "share" + std::string(as_text(device.view()))};
    }
    Bytes stored(const DeviceId& device) { return store->get(of(device), "s").value().value(); }
    // As it was stored before shares were sealed.
    void put_unsealed(const DeviceId& device, std::uint32_t number) {
        store::Batch batch(of(device));
        batch.put("s", std::move(Writer().u32(number).bytes(secret)).take());
        REQUIRE(store->commit(batch, store::Sync::yes));
    }
    // In any file of the database, its logs too, while it is open: what somebody copies.
    [[nodiscard]] bool on_disk(ByteView bytes) const {
        for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path)) {
            if (!file.is_regular_file()) continue;
            std::ifstream in(file.path(), std::ios::binary);
            const std::string all((std::istreambuf_iterator<char>(in)), {});
            if (all.find(as_text(bytes)) != std::string::npos) return true;
        }
        return false;
    }
    // The store compacts on a thread of its own.
    [[nodiscard]] bool gone(ByteView bytes) const {
        for (int i = 0; i < 600 && on_disk(bytes); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return !on_disk(bytes);
    }
    void reopen() {
        store.reset();
        store = folders::open(folder.path);
    }
};

}  // namespace

TEST_CASE("a share is in no file of the database as it is, neither in the log nor in a table") {
    Vault v;
    auto shares = v.shares(7);
    REQUIRE(shares.prepare() == std::size_t{0});
    REQUIRE(shares.put(v.anna, {3, Secret<32>(v.secret)}));
    CHECK_FALSE(v.on_disk(v.secret));
    CHECK(v.on_disk(ByteView(v.stored(v.anna)).last(48)));  // the search finds what is there
    v.reopen();                                             // what was in the log is in a table now
    CHECK_FALSE(v.on_disk(v.secret));
    CHECK(v.on_disk(ByteView(v.stored(v.anna)).last(48)));
    CHECK(v.shares(7).get(v.anna)->number == 3);
    CHECK(v.shares(7).get(v.anna)->bytes.equals(v.secret));
}

TEST_CASE("a copied database opens without its key for nobody, and says so at the start") {
    Vault v;
    REQUIRE(v.shares(7).prepare());
    REQUIRE(v.shares(7).put(v.anna, {1, Secret<32>(v.secret)}));
    CHECK(Shares::sealed(*v.store) == true);
    auto other = v.shares(8);
    CHECK(other.get(v.anna).error().code == Errc::storage);
    const auto refused = other.prepare();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::bad_config);
    CHECK(refused.error().detail.find("shares-old.key") != std::string::npos);
    CHECK(v.shares(7).get(v.anna)->bytes.equals(v.secret));  // nothing was changed by the attempt
}

TEST_CASE("a sealed share counts for its device and its number alone, unchanged") {
    Vault v;
    const Seal seal(key(7), std::nullopt, v.random);
    const auto sealed = seal.seal(v.anna, {3, Secret<32>(v.secret)});
    CHECK(seal.open(v.anna, sealed)->bytes.equals(v.secret));
    CHECK(seal.open(v.bernd, sealed).error().code == Errc::storage);
    CHECK(seal.seal(v.anna, {3, Secret<32>(v.secret)}) != sealed);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        INFO("byte " << i);
        auto changed = sealed;
        changed[i] ^= 1;
        CHECK(seal.open(v.anna, changed).error().code == Errc::storage);
    }
    for (std::size_t n = 0; n < sealed.size(); ++n) CHECK_FALSE(seal.open(v.anna, ByteView(sealed).first(n)));
    // What lay there before shares were sealed is read by prepare() alone: nobody plants one like that later.
    v.put_unsealed(v.bernd, 1);
    CHECK(v.shares(7).get(v.bernd).error().code == Errc::storage);
}

TEST_CASE("shares of before are sealed at the first start, and what they were is gone from the disk") {
    Vault v;
    v.put_unsealed(v.anna, 2);
    v.reopen();  // in a table
    v.put_unsealed(v.bernd, 1);
    CHECK(v.on_disk(v.secret));
    CHECK(Shares::sealed(*v.store) == false);
    auto shares = v.shares(7);
    REQUIRE(shares.prepare() == std::size_t{2});
    CHECK(v.gone(v.secret));
    CHECK(shares.get(v.anna)->number == 2);
    CHECK(shares.get(v.bernd)->bytes.equals(v.secret));
    CHECK(v.shares(7).prepare() == std::size_t{0});
}

TEST_CASE("a new key takes over all shares from the one before, which then opens none") {
    Vault v;
    REQUIRE(v.shares(7).prepare());
    REQUIRE(v.shares(7).put(v.anna, {1, Secret<32>(v.secret)}));
    const auto before = v.stored(v.anna);
    REQUIRE(v.shares(8, 7).prepare() == std::size_t{1});
    CHECK(v.gone(ByteView(before).last(48)));
    CHECK(v.shares(8).get(v.anna)->bytes.equals(v.secret));
    CHECK(v.shares(7).get(v.anna).error().code == Errc::storage);
    CHECK(v.shares(8).prepare() == std::size_t{0});
}

TEST_CASE("shares of several devices go in one commit, those that are there") {
    Vault v;
    REQUIRE(v.shares(7).put(v.anna, {1, Secret<32>(v.secret)}));
    const std::vector both{v.bernd, v.anna};
    REQUIRE(v.shares(7).erase(both));
    CHECK(v.shares(7).get(v.anna).error().code == Errc::not_found);
    REQUIRE(v.shares(7).erase(both));
}
