// Suspension and revocation of devices, and people who may enrol no more.
#include <algorithm>

#include "directory/impl.hpp"

namespace nimes::gateway::directory {

void Directory::Impl::put_revoke(Change& change, const DeviceRevoke& record) {
    const auto& device = record.device;
    insert_by_device(change.entry.revokes, record);
    change.batch.put(revoke_key(device), record.encode());
    change.batch.erase(batch_key(device)).erase_range(seal_key_key(device, 0), seal_key_key(device, ~std::uint32_t{0}));
    change.devices.push_back(device);
}

Result<void> Directory::Impl::apply_revokes(std::vector<Change> changes) {
    std::vector<DeviceId> out;
    for (const auto& change : changes) out.insert(out.end(), change.devices.begin(), change.devices.end());
    if (auto ok = change_entries(std::move(changes)); !ok) return ok;
    // They are handed out no more as it is; whoever carries the revocation out asks for it again.
    (void)one_time.drop(out);
    return {};
}

Result<void> Directory::revoke(std::span<const DeviceId> devices, RevokeReason reason) {
    std::vector<DeviceId> shut_out;
    {
        const std::lock_guard lock(impl_->mutex);
        std::map<UserId, Impl::Change> changes;
        for (const auto& device : devices) {
            auto* user = impl_->state.user_of(device);
            if (user == nullptr) return fail(Errc::device_unknown);
            const auto& id = user->entry.user;
            auto& change =
                changes.try_emplace(id, Impl::Change{user, user->entry, store::Batch(user_partition(id)), {}})
                    .first->second;
            if (change.entry.revoke(device) != nullptr) continue;  // final already
            DeviceRevoke record;
            record.reason = reason;
            record.user = id;
            record.device = device;
            record.actor = key_actor(impl_->secrets.administrator.public_key);
            record.effective = impl_->clock.now();
            record.seq = change.entry.next_seq();
            record.signature =
                sign_revoke_admin(impl_->secrets.administrator.secret, impl_->secrets.org, record.body());
            Impl::put_revoke(change, record);
            shut_out.push_back(device);
        }
        std::vector<Impl::Change> all;
        for (auto& [id, change] : changes)
            if (!change.devices.empty()) all.push_back(std::move(change));
        // All final already, though their head may not have reached the disk.
        const auto& s = impl_->state;
        if (all.empty() && s.heads.back().head.map_root == s.map.root()) return {};
        if (auto ok = impl_->apply_revokes(std::move(all)); !ok) return ok;
    }
    for (const auto& device : shut_out) impl_->tell(false, false, &device);
    impl_->tell(true, true, nullptr);
    return {};
}

Result<void> Directory::revoke(const DeviceId& device, RevokeReason reason) {
    return revoke(std::span(&device, 1), reason);
}

Result<void> Directory::Impl::set_suspended(std::span<const DeviceId> devices, bool suspended) {
    const std::lock_guard lock(mutex);
    std::vector<store::Batch> batches;
    for (const auto& device : devices) {
        const auto* user = state.user_of(device);
        if (user == nullptr) return fail(Errc::device_unknown);
        if (user->entry.revoke(device) != nullptr) return fail(Errc::device_revoked, "that is final");
        const auto at = user->devices.find(device);
        auto changed = at == user->devices.end() ? DeviceState{} : at->second;
        changed.suspended = suspended;
        batches.emplace_back(user_partition(user->entry.user)).put(device_key(device), encode_device(changed));
    }
    if (auto ok = store.commit(batches, store::Sync::yes); !ok) return ok;
    for (const auto& device : devices) state.user_of(device)->devices[device].suspended = suspended;
    return mirror_changed(devices);
}

Result<void> Directory::suspend(std::span<const DeviceId> devices) {
    if (auto ok = impl_->set_suspended(devices, true); !ok) return ok;
    for (const auto& device : devices) impl_->tell(false, false, &device);
    impl_->tell(false, true, nullptr);
    return {};
}

Result<void> Directory::resume(std::span<const DeviceId> devices) {
    if (auto ok = impl_->set_suspended(devices, false); !ok) return ok;
    impl_->tell(false, true, nullptr);
    return {};
}

Result<void> Directory::suspend(const DeviceId& device) { return suspend(std::span(&device, 1)); }
Result<void> Directory::resume(const DeviceId& device) { return resume(std::span(&device, 1)); }

Result<void> Directory::set_closed(const UserId& id, bool closed) {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.users.find(id);
    if (at == impl_->state.users.end()) return fail(Errc::not_found, "nobody of that id");
    if (at->second.closed == closed) return {};
    store::Batch batch(user_partition(id));
    if (closed) batch.put(std::string(kClosedKey), {});
    else batch.erase(std::string(kClosedKey));
    if (auto ok = impl_->store.commit(batch, store::Sync::yes); !ok) return ok;
    at->second.closed = closed;
    return {};
}

bool Directory::closed(const UserId& id) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.users.find(id);
    return at != impl_->state.users.end() && at->second.closed;
}

std::vector<Person> Directory::people() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Person> out;
    for (const auto& [id, user] : impl_->state.users) out.push_back(user.person);
    return out;
}

Result<void> Directory::destroy_seal_keys(std::span<const DeviceId> devices) {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& device : devices) {
        auto* user = impl_->state.user_of(device);
        if (user == nullptr) return fail(Errc::device_unknown);
        if (user->entry.revoke(device) == nullptr) return fail(Errc::forbidden, "the device is not revoked");
        if (user->devices[device].seal_batch != 0) return fail(Errc::internal, "seal keys of a revoked device");
    }
    return impl_->one_time.drop(devices);
}

}  // namespace nimes::gateway::directory
