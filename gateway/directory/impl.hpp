// What Directory is made of; private to this room. Functions say whether they want the lock held.
#pragma once

#include <mutex>

#include "directory/one_time_keys.hpp"
#include "directory/state.hpp"

namespace nimes::gateway::directory {

struct Directory::Impl {
    Impl(store::Store& s, OrgSecrets o, const Clock& c, RandomSource& r)
        : store(s), secrets(std::move(o)), keys(secrets.public_keys()), clock(c), random(r), one_time(s, c) {}

    // Signs and stores a head over the map as it is. Lock held.
    Result<void> publish(const std::vector<UserId>& changed, bool too_many);
    // Stores the batch, puts the entry, publishes, counts the mirror. Lock held.
    Result<void> change_entry(UserState& user, DirectoryEntry entry, store::Batch batch, const DeviceId& device);
    // Stores and publishes a revocation whose rules were checked; the device's seal keys go with it. Lock held.
    Result<void> apply_revoke(UserState& user, const DeviceRevoke& record);
    // Lock held.
    Result<void> mirror_changed(const DeviceId& device);
    Result<void> set_suspended(const DeviceId& device, bool suspended);
    // Without the lock.
    void tell(bool head, bool mirror, const DeviceId* shut_out) const;

    store::Store& store;
    const OrgSecrets secrets;
    const OrgKeys keys;
    const Clock& clock;
    RandomSource& random;
    Observers observers;
    OneTimeKeys one_time;  // has a lock of its own, taken after this one
    std::mutex mutex;
    State state;
};

}  // namespace nimes::gateway::directory
