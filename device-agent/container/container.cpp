#include "container/container.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "container/impl.hpp"
#include "container/wipe.hpp"

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

Container::Container(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Container::~Container() { shut(); }

bool Container::exists(const std::filesystem::path& home) {
    struct stat is {};
    return lstat(file_of(home).c_str(), &is) == 0 && !wipe_begun(home);
}

// Made aside and renamed, so that a container is there whole or not at all.
Result<std::unique_ptr<Container>> Container::create(HomeLock home, ByteView passphrase, const PassphraseCost& cost,
                                                     Surroundings surroundings) {
    finish_wipe(home.home(), surroundings.keystore);
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
    finish_wipe(home.home(), surroundings.keystore);
    if (!exists(home.home())) return fail(Errc::not_enrolled);
    auto arena = Arena::create();
    if (!arena) return pass(arena);
    auto db = Database::open(file_of(home.home()));
    if (!db) return pass(db);
    if (auto upgraded = upgrade(**db); !upgraded) return pass(upgraded);
    auto meta = read_meta(**db);
    if (!meta) return pass(meta);
    return std::unique_ptr<Container>(
        new Container(std::make_unique<Impl>(std::move(home), std::move(*arena), std::move(*db), *meta, surroundings)));
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
    lease.reset();
    identity_seed.reset();
    door_info.reset();
}

void Container::lock() {
    if (state() != State::shut) impl_->clear(State::door);
}

void Container::shut() { impl_->clear(State::shut); }
State Container::state() const { return impl_->current(); }

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
    if (state() == State::shut || impl_->gone) return fail(Errc::locked);
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
