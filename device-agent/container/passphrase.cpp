// From a passphrase to an open container, and what wrong ones cost.
#include "container/impl.hpp"

namespace nimes::agent::container {

Result<void> Container::unlock(ByteView passphrase) {
    if (state() == State::open) return check_passphrase(passphrase);
    if (impl_->gone) return fail(Errc::not_enrolled, "this home was wiped");
    auto& keystore = impl_->surroundings.keystore;
    auto tries = keystore.load_tries();
    if (!tries) return pass(tries);
    // The tenth was counted, and did not open: who cut the power in the middle has used it up.
    if (tries->wrong >= kMostWrong) return give_up();
    const auto boot = impl_->surroundings.clock.boot();
    if (wait_left(*tries, boot) > 0) return fail(Errc::passphrase_wait);
    // Counted before the try.
    if (auto counted = keystore.store_tries({tries->wrong + 1, boot}); !counted) return counted;
    auto entered = impl_->enter(passphrase);
    if (!entered && entered.error().code == Errc::passphrase_wrong) {
        if (tries->wrong + 1 < kMostWrong) return entered;
        return give_up();
    }
    auto restored = keystore.store_tries(entered ? TryCount{} : *tries);
    if (entered && restored) return {};
    shut();
    return entered ? restored : entered;
}

Result<void> Container::Impl::enter(ByteView passphrase) {
    meta.counter = store.committed;
    if (auto opened = vault.enter(*db, meta, passphrase, today()); !opened) return opened;
    if (auto done = remember_passphrase(passphrase); !done) return done;
    if (!vault.waits_for_share()) {
        if (auto done = settle(); !done) return done;
        set_state(State::open);
        return {};
    }
    if (auto loaded = load_door(); !loaded) return loaded;
    set_state(State::door);
    if (!lease) take_kept_lease();
    if (!lease) return {};
    const auto share = lease->share();
    auto opened = vault.open_with(*db, meta, share, today());
    // The keystore's lease is a file: what it says proves nothing.
    if (!opened && opened.error().code == Errc::proof_invalid) return drop_lease();
    if (!opened) return opened;
    if (auto done = settle(); !done) return done;
    set_state(State::open);
    return {};
}

Result<void> Container::Impl::settle() {
    store.counter = store.committed = meta.counter;
    if (auto erased = surroundings.keystore.erase(meta.place() ^ 1U); !erased) return erased;
    return load_door();
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
    if (impl_->gone) return fail(Errc::not_enrolled);
    if (impl_->check_key.empty()) return fail(Errc::locked);
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
    if (tries->wrong + 1 < kMostWrong) return fail(Errc::passphrase_wrong);
    return give_up();
}

tl::unexpected<Error> Container::give_up() {
    (void)wipe();
    shut();
    return fail(Errc::not_enrolled);
}

std::uint32_t Container::wrong_tries() const {
    auto tries = impl_->surroundings.keystore.load_tries();
    return tries ? tries->wrong : 0;
}

Millis Container::wait_before_try() const {
    auto tries = impl_->surroundings.keystore.load_tries();
    return tries ? wait_left(*tries, impl_->surroundings.clock.boot()) : 0;
}

}  // namespace nimes::agent::container
