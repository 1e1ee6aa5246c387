// What Directory is made of; private to this room. Functions say whether they want the lock held.
#pragma once

#include <algorithm>
#include <mutex>

#include "directory/one_time_keys.hpp"
#include "directory/state.hpp"

namespace nimes::gateway::directory {

template <class Record>
void insert_by_device(std::vector<Record>& into, const Record& record) {
    const auto at = std::lower_bound(into.begin(), into.end(), record.device,
                                     [](const Record& r, const DeviceId& d) { return r.device < d; });
    into.insert(at, record);
}

struct Directory::Impl {
    Impl(store::Store& s, OrgSecrets o, const Clock& c, RandomSource& r)
        : store(s), secrets(std::move(o)), keys(secrets.public_keys()), clock(c), random(r), one_time(s, c) {}

    // Signs and stores a head over the map as it is. Lock held.
    Result<void> publish(const std::vector<UserId>& changed, bool too_many);
    // An entry as it shall be, with what is stored for it, and the devices that changed.
    struct Change {
        UserState* user;
        DirectoryEntry entry;
        store::Batch batch;
        std::vector<DeviceId> devices;
    };
    // Stores the batches, puts the entries, counts the mirror, publishes one head. Each user once. Lock held.
    Result<void> change_entries(std::vector<Change> changes);
    Result<void> change_entry(UserState& user, DirectoryEntry entry, store::Batch batch, const DeviceId& device);
    // A revocation whose rules were checked, put into the entry; the device's seal keys go with it.
    static void put_revoke(Change& change, const DeviceRevoke& record);
    // Stores and publishes revocations. Lock held.
    Result<void> apply_revokes(std::vector<Change> changes);
    // Lock held.
    Result<void> mirror_changed(std::span<const DeviceId> devices);
    Result<void> set_suspended(std::span<const DeviceId> devices, bool suspended);
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
