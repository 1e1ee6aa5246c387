#include "container/container.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "container/record_store.hpp"
#include "container/vault.hpp"

namespace nimes::agent::container {
namespace {

std::filesystem::path file_of(const std::filesystem::path& home) { return home / "container.db"; }

Result<void> make_empty_file(const std::filesystem::path& file) {
    for (const auto* tail : {"", "-wal", "-shm", "-journal"}) {
        auto leftover = file;
        unlink((leftover += tail).c_str());
    }
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail(Errc::storage, "the container's file cannot be made");
    close(fd);
    return {};
}

Result<void> publish(const std::filesystem::path& aside, const std::filesystem::path& file) {
    if (std::rename(aside.c_str(), file.c_str()) != 0) return fail(Errc::storage, "the container cannot be named");
    const int fd = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (!synced) return fail(Errc::storage, "the home cannot be synced");
    return {};
}

}  // namespace

struct Container::Impl {
    Impl(HomeLock lock, std::unique_ptr<Arena> keys, std::unique_ptr<Database> file, Meta read, Surroundings around)
        : home(std::move(lock)),
          surroundings(around),
          arena(std::move(keys)),
          db(std::move(file)),
          meta(read),
          vault(*arena, around),
          store{*db, vault.ring(), around.random, read.counter, read.counter} {}

    HomeLock home;
    Surroundings surroundings;
    std::unique_ptr<Arena> arena;
    std::unique_ptr<Database> db;
    Meta meta;
    Vault vault;
    Transaction::Store store;

    mutable std::mutex door_mutex;  // guards the next three
    State state = State::shut;
    HotKey identity_seed;
    std::optional<Bytes> door_info;

    HotKey check_key;  // of check_passphrase(): a random key, and the hash of the right one under it
    HotKey check_hash;

    Result<void> remember_passphrase(ByteView passphrase);
    Result<void> enter(ByteView passphrase);
    Result<void> load_door();
    void set_state(State next) {
        const std::lock_guard lock(door_mutex);
        state = next;
    }
    [[nodiscard]] State current() const {
        const std::lock_guard lock(door_mutex);
        return state;
    }
    void clear(State next);
};

Container::Container(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Container::~Container() { shut(); }

bool Container::exists(const std::filesystem::path& home) {
    struct stat is {};
    return lstat(file_of(home).c_str(), &is) == 0;
}

// Made aside and renamed, so that a container is there whole or not at all.
Result<std::unique_ptr<Container>> Container::create(HomeLock home, ByteView passphrase, const PassphraseCost& cost,
                                                     Surroundings surroundings) {
    if (exists(home.home())) return fail(Errc::already_enrolled);
    const auto aside = home.home() / "container.new";
    if (auto made = make_empty_file(aside); !made) return pass(made);
    {
        auto arena = Arena::create();
        if (!arena) return pass(arena);
        auto db = Database::open(aside);
        if (!db) return pass(db);
        Vault vault(**arena, surroundings);
        if (auto made = vault.create(**db, passphrase, cost); !made) return pass(made);
        if (auto folded = (*db)->truncate_log(); !folded) return pass(folded);
    }
    if (auto reset = surroundings.keystore.store_tries({}); !reset) return pass(reset);
    if (auto named = publish(aside, file_of(home.home())); !named) return pass(named);
    auto container = open(std::move(home), surroundings);
    if (!container) return container;
    if (auto unlocked = (*container)->unlock(passphrase); !unlocked) return pass(unlocked);
    return container;
}

Result<std::unique_ptr<Container>> Container::open(HomeLock home, Surroundings surroundings) {
    if (!exists(home.home())) return fail(Errc::not_enrolled);
    auto arena = Arena::create();
    if (!arena) return pass(arena);
    auto db = Database::open(file_of(home.home()));
    if (!db) return pass(db);
    auto meta = read_meta(**db);
    if (!meta) return pass(meta);
    return std::unique_ptr<Container>(
        new Container(std::make_unique<Impl>(std::move(home), std::move(*arena), std::move(*db), *meta, surroundings)));
}

Result<void> Container::unlock(ByteView passphrase) {
    if (state() == State::open) return check_passphrase(passphrase);
    auto& keystore = impl_->surroundings.keystore;
    auto tries = keystore.load_tries();
    if (!tries) return pass(tries);
    const auto boot = impl_->surroundings.clock.boot();
    if (wait_left(*tries, boot) > 0) return fail(Errc::passphrase_wait);
    // Counted before the try: who cuts the power in the middle has used it up.
    if (auto counted = keystore.store_tries({tries->wrong + 1, boot}); !counted) return counted;
    auto entered = impl_->enter(passphrase);
    if (!entered && entered.error().code == Errc::passphrase_wrong) return entered;
    auto restored = keystore.store_tries(entered ? TryCount{} : *tries);
    if (entered && restored) return {};
    shut();
    return entered ? restored : entered;
}

Result<void> Container::Impl::enter(ByteView passphrase) {
    const auto today = static_cast<std::uint32_t>(surroundings.clock.now() / kDay);
    meta.counter = store.committed;
    if (auto opened = vault.open(*db, meta, passphrase, today); !opened) return opened;
    store.counter = store.committed = meta.counter;
    if (auto erased = surroundings.keystore.erase(meta.place() ^ 1U); !erased) return erased;
    if (auto loaded = load_door(); !loaded) return loaded;
    if (auto done = remember_passphrase(passphrase); !done) return done;
    set_state(State::open);
    return {};
}

Result<void> Container::Impl::load_door() {
    auto content = vault.open_door(*db, meta);
    if (!content) return pass(content);
    const std::lock_guard lock(door_mutex);
    identity_seed.reset();
    door_info.reset();
    if (!*content) return {};
    auto seed = arena->take((*content)->identity_seed.view());
    if (!seed) return pass(seed);
    identity_seed = std::move(*seed);
    door_info = std::move((*content)->info);
    return {};
}

Result<void> Container::Impl::remember_passphrase(ByteView passphrase) {
    auto key = arena->take();
    if (!key) return pass(key);
    auto hashed = arena->take();
    if (!hashed) return pass(hashed);
    surroundings.random.fill(key->edit());
    crypto_generichash(hashed->edit().data(), Arena::kSlotBytes, passphrase.data(), passphrase.size(),
                       key->view().data(), Arena::kSlotBytes);
    check_key = std::move(*key);
    check_hash = std::move(*hashed);
    return {};
}

Result<void> Container::check_passphrase(ByteView passphrase) {
    if (state() != State::open) return fail(Errc::locked);
    auto& keystore = impl_->surroundings.keystore;
    auto tries = keystore.load_tries();
    if (!tries) return pass(tries);
    const auto boot = impl_->surroundings.clock.boot();
    if (wait_left(*tries, boot) > 0) return fail(Errc::passphrase_wait);
    Secret<32> hashed;
    crypto_generichash(hashed.data(), Secret<32>::size, passphrase.data(), passphrase.size(),
                       impl_->check_key.view().data(), Arena::kSlotBytes);
    if (hashed.equals(impl_->check_hash.view())) return tries->wrong == 0 ? Result<void>() : keystore.store_tries({});
    if (auto counted = keystore.store_tries({tries->wrong + 1, boot}); !counted) return counted;
    return fail(Errc::passphrase_wrong);
}

void Container::Impl::clear(State next) {
    store.rollback();
    check_key.reset();
    check_hash.reset();
    if (next == State::shut) vault.shut();
    else vault.lock();
    const std::lock_guard lock(door_mutex);
    state = next;
    if (next != State::shut) return;
    identity_seed.reset();
    door_info.reset();
}

void Container::lock() {
    if (state() == State::open) impl_->clear(State::door);
}

void Container::shut() { impl_->clear(State::shut); }
State Container::state() const { return impl_->current(); }

std::uint32_t Container::wrong_tries() const {
    auto tries = impl_->surroundings.keystore.load_tries();
    return tries ? tries->wrong : 0;
}

Millis Container::wait_before_try() const {
    auto tries = impl_->surroundings.keystore.load_tries();
    return tries ? wait_left(*tries, impl_->surroundings.clock.boot()) : 0;
}

Result<void> Container::set_door(const DoorContent& content) {
    if (state() != State::open) return fail(Errc::locked);
    if (impl_->store.alive) return fail(Errc::busy, "a transaction of the container is open");
    if (auto sealed = impl_->vault.seal_door(*impl_->db, impl_->meta, content); !sealed) return sealed;
    return impl_->load_door();
}

Result<SigningKeyPair> Container::identity() const {
    const std::lock_guard lock(impl_->door_mutex);
    if (impl_->state == State::shut) return fail(Errc::locked);
    if (impl_->identity_seed.empty()) return fail(Errc::not_enrolled);
    return signing_key_from_seed(impl_->identity_seed.view());
}

Result<Bytes> Container::door_info() const {
    const std::lock_guard lock(impl_->door_mutex);
    if (impl_->state == State::shut) return fail(Errc::locked);
    if (!impl_->door_info) return fail(Errc::not_enrolled);
    return *impl_->door_info;
}

Result<Transaction> Container::begin() {
    if (state() != State::open) return fail(Errc::locked);
    if (auto begun = impl_->store.begin(); !begun) return pass(begun);
    return Transaction(&impl_->store, impl_->store.serial);
}

Result<std::size_t> Container::expire(Millis now) {
    if (state() == State::shut) return fail(Errc::locked);
    if (impl_->store.alive) return fail(Errc::busy, "a transaction of the container is open");
    auto& db = *impl_->db;
    const auto today = static_cast<std::uint32_t>(now / kDay);
    auto erased = erase_expired(db, today);
    if (!erased) {
        db.rollback();
        return erased;
    }
    if (auto dropped = impl_->vault.ring().drop_erased(db); !dropped) return pass(dropped);
    if (*erased > 0)
        if (auto folded = db.truncate_log(); !folded) return pass(folded);
    return erased;
}

const std::filesystem::path& Container::home() const { return impl_->home.home(); }
const Arena& Container::arena() const { return *impl_->arena; }

}  // namespace nimes::agent::container
