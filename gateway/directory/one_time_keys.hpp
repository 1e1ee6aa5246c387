// One-time seal keys that devices left here, each handed out once and never again (FORMATS.md 2.4; key layout in
// LAYOUT.md).
//
// A key is erased on disk before the answer that carries it leaves: after a crash in between it is lost, and that is
// all. Ids that were taken once are never taken again, so an upload that is repeated adds nothing. How many one asker
// gets is limited, of each device and in all; beyond it, and when none is left, there is no key, and the asker seals to
// the day key. Those counts are of this process: a restart forgets them.
// Threads: any. Ownership: store and clock must outlive it. Errors: Errc::too_large, malformed, storage.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "nimes/seal_key.hpp"
#include "store/store.hpp"

namespace nimes::gateway::directory {

class OneTimeKeys {
  public:
    static constexpr std::size_t kInUpload = 100;
    static constexpr std::size_t kHeld = 200;  // of one device
    static constexpr std::size_t kDevicesInAnswer = 32;
    static constexpr std::size_t kOfDeviceInHour = 4;  // to one asker
    static constexpr std::size_t kInHour = 256;        // to one asker

    OneTimeKeys(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    // Keys of the batch `batch_no`, checked by the caller, ascending by id; those of older batches go.
    Result<void> put(const DeviceId& device, std::uint32_t batch_no, std::span<const SealKey> keys);

    struct Wanted {
        DeviceId device;
        std::uint32_t batch_no = 0;  // the device's newest: others are not given out
    };
    Result<std::map<DeviceId, Bytes>> hand_out(const UserId& asker, std::span<const Wanted> wanted);
    Result<std::size_t> left(const DeviceId& device, std::uint32_t batch_no);
    Result<void> drop(std::span<const DeviceId> devices);
    // At the start: what a crash left behind of devices that are out.
    Result<void> drop_others(const std::set<DeviceId>& keep);

  private:
    struct Counts {
        std::size_t all = 0;
        std::map<DeviceId, std::size_t> of;
    };
    Result<std::optional<SealKey>> first(const DeviceId& device, std::uint32_t batch_no);
    [[nodiscard]] bool allowed(const UserId& asker, const DeviceId& device);

    store::Store& store_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<UserId, Counts> counts_;  // since the hour began
    Millis hour_ = 0;
};

}  // namespace nimes::gateway::directory
