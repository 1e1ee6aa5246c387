// One-time keys of others that this device fetched and has not used yet (FORMATS.md 2.4).
//
// In memory alone: they are fetched right before a chain opens, and a container that is restored from an old copy, or a
// process that died, knows of none, so none is used twice. Each is given out for one wrap. Threads: one at a time.
#pragma once

#include <map>
#include <optional>

#include "nimes/seal_key.hpp"

namespace nimes::agent::sealing {

class OneTimePool {
  public:
    // A record that a look-up brought for a device of a proven entry; what does not verify, is of an older batch than
    // `batch_floor`, or does not come after those that this device used of it is refused.
    Result<void> put(const SealKey& key, const DeviceId& device, const PublicKey& identity, std::uint32_t batch_floor,
                     Millis now);
    [[nodiscard]] bool holds(const DeviceId& device, std::uint32_t batch_floor, Millis now) const;
    // The key goes with this call, whatever becomes of the wrap.
    std::optional<SealKey> take(const DeviceId& device, std::uint32_t batch_floor, Millis now);

  private:
    struct Fetched {
        SealKey key;
        Millis at = 0;
    };
    [[nodiscard]] const Fetched* usable(const DeviceId& device, std::uint32_t batch_floor, Millis now) const;

    std::map<DeviceId, Fetched> fetched_;
    std::map<DeviceId, std::uint32_t> used_;  // highest id; the gateway hands them out in their order
};

}  // namespace nimes::agent::sealing
