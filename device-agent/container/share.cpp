// The gateway's share: what it opens, how long it is leased, and the end of a home.
#include "container/impl.hpp"
#include "container/wipe.hpp"

namespace nimes::agent::container {
namespace {

constexpr Millis kStoreEvery = kMinute;  // the most that a reboot gives back of a lease

}  // namespace

bool Container::waits_for_share() const { return state() == State::door && impl_->vault.waits_for_share(); }

std::uint32_t Container::share_number() const {
    if (impl_->gone) return kNoShare;
    auto number = Vault::share_number(*impl_->db, impl_->meta);
    return number ? *number : kNoShare;
}

Result<void> Container::open_with(const Share& share, const LeaseTerms& terms) {
    if (!waits_for_share()) return fail(Errc::locked, "the passphrase comes first");
    auto& in = *impl_;
    in.meta.counter = in.store.committed;
    if (auto opened = in.vault.open_with(*in.db, in.meta, share, in.today()); !opened) return opened;
    auto done = in.settle();
    if (done) done = in.begin_lease(share, terms);
    if (!done) {
        shut();
        return done;
    }
    in.set_state(State::open);
    return {};
}

Result<void> Container::adopt_share(const Share& share, const LeaseTerms& terms) {
    if (state() != State::open) return fail(Errc::locked);
    auto& in = *impl_;
    if (in.store.alive) return fail(Errc::busy, "a transaction of the container is open");
    if (!in.door_info) return fail(Errc::not_enrolled);
    in.meta.counter = in.store.committed;
    if (auto changed = in.vault.adopt(*in.db, in.meta, share, in.today()); !changed) return changed;
    auto done = in.settle();
    if (done) done = in.begin_lease(share, terms);
    if (!done) shut();
    return done;
}

Result<void> Container::Impl::begin_lease(const Share& share, const LeaseTerms& terms) {
    const auto& clock = surroundings.clock;
    auto granted = Lease::grant(*arena, share, terms.grace, clock.now(), clock.boot());
    if (!granted) return pass(granted);
    lease.emplace(std::move(*granted));
    return keep_lease(terms.survives_restart);
}

// A full disk costs the restart without network, and nothing else.
Result<void> Container::Impl::keep_lease(bool survives_restart) {
    auto& keystore = surroundings.keystore;
    lease_kept = false;
    if (!survives_restart) return keystore.erase_lease();
    lease_stored = lease->used();
    auto stored = keystore.store_lease(lease->encode());
    if (!stored && stored.error().code != Errc::disk_full) return stored;
    lease_kept = stored.has_value();
    return {};
}

Result<void> Container::Impl::drop_lease() {
    lease.reset();
    lease_kept = false;
    return surroundings.keystore.erase_lease();
}

void Container::Impl::take_kept_lease() {
    auto kept = surroundings.keystore.load_lease();
    if (!kept) return;
    const auto& clock = surroundings.clock;
    auto read = Lease::parse(*arena, kept->view());
    auto number = Vault::share_number(*db, meta);
    if (!read || !number || read->number() != *number || !read->look(clock.now(), clock.boot())) {
        (void)drop_lease();
        return;
    }
    lease.emplace(std::move(*read));
    (void)keep_lease(true);  // what the reboot cost is counted on the disk
}

bool Container::is_leased(const Share& share) const {
    return impl_->lease && impl_->lease->number() == share.number &&
           share.bytes.equals(impl_->lease->share().bytes.view());
}

Result<void> Container::renew_lease(const LeaseTerms& terms) {
    auto& in = *impl_;
    if (!in.lease) return fail(Errc::locked, "no share is leased");
    in.lease->renew(terms.grace, in.surroundings.clock.now(), in.surroundings.clock.boot());
    return in.keep_lease(terms.survives_restart);
}

Result<void> Container::limit_lease(const LeaseTerms& terms) {
    auto& in = *impl_;
    if (!in.lease) return {};
    const bool shorter = in.lease->limit(terms.grace), loses = in.lease_kept && !terms.survives_restart;
    return shorter || loses ? in.keep_lease(in.lease_kept && terms.survives_restart) : Result<void>();
}

Result<void> Container::end_lease() {
    auto dropped = impl_->drop_lease();
    lock();
    return dropped;
}

bool Container::lease_over() {
    auto& in = *impl_;
    if (!in.lease) return false;
    if (!in.lease->look(in.surroundings.clock.now(), in.surroundings.clock.boot())) {
        (void)in.drop_lease();
        shut();
        return true;
    }
    if (in.lease_kept && in.lease->used() >= in.lease_stored + kStoreEvery) (void)in.keep_lease(true);
    return false;
}

std::optional<Millis> Container::lease_left() const {
    return impl_->lease ? std::optional(impl_->lease->left()) : std::nullopt;
}

bool Container::wipe() {
    auto& in = *impl_;
    if (in.gone) return true;
    mark_wipe(home());
    const bool erased = erase_keys(in.surroundings.keystore);
    // The identity key stays for the receipt; everything else dies in memory too.
    in.clear(State::door);
    in.lease.reset();
    in.vault.shut();
    if (in.db->execute("DELETE FROM slots")) (void)in.db->truncate_log();
    in.gone = true;
    in.db.reset();
    return remove_files(home(), in.surroundings.keystore, erased) && erased;
}

}  // namespace nimes::agent::container
