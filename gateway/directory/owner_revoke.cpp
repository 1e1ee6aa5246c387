// A revocation that a person's own device signed: a lost handset, one that was given back, or one that nobody of theirs
// knows (FORMATS.md 2.3, 2.11.6).
#include "directory/impl.hpp"
#include "nimes/token.hpp"

namespace nimes::gateway::directory {
namespace {

// Who has a token of now has a clock of now: a record from before or beyond would bend what receivers withhold.
bool of_now(Millis effective, Millis now) {
    return effective + Token::kHttpsWindow >= now && effective <= now + Token::kHttpsWindow;
}

Result<void> check_actor(const UserState& user, const DeviceId& actor, Millis now) {
    if (user.entry.revoke(actor) != nullptr) return fail(Errc::device_revoked);
    if (!user.entry.active(actor, now)) return fail(Errc::device_unknown, "outside its dates");
    const auto at = user.devices.find(actor);
    if (at != user.devices.end() && at->second.suspended) return fail(Errc::device_suspended);
    return {};
}

}  // namespace

Result<void> Directory::revoke_own(const DeviceId& caller, const DeviceRevoke& record) {
    {
        const std::lock_guard lock(impl_->mutex);
        auto* user = impl_->state.user_of(caller);
        if (user == nullptr) return fail(Errc::device_unknown);
        if (record.actor != caller) return fail(Errc::forbidden, "a device signs for itself alone");
        // Devices of others and devices of nobody get one answer.
        if (record.user != user->entry.user || user->entry.cert(record.device) == nullptr)
            return fail(Errc::not_found, "no such device of yours");
        const auto* there = user->entry.revoke(record.device);
        if (there != nullptr && *there == record) return {};  // a repeat, perhaps by who is out since then
        const auto now = impl_->clock.now();
        if (auto ok = check_actor(*user, caller, now); !ok) return ok;
        if (!verify_revoke_device(record, user->entry.cert(caller)->identity)) return fail(Errc::signature_invalid);
        if (there != nullptr || record.seq != user->entry.next_seq())
            return fail(Errc::storage_conflict, "the entry moved on");
        if (!of_now(record.effective, now)) return fail(Errc::malformed, "effective_ms is not of now");
        std::vector<Impl::Change> one;
        one.push_back({user, user->entry, store::Batch(user_partition(record.user)), {}});
        Impl::put_revoke(one[0], record);
        if (auto ok = impl_->apply_revokes(std::move(one)); !ok) return ok;
    }
    impl_->tell(true, true, &record.device);
    return {};
}

}  // namespace nimes::gateway::directory
