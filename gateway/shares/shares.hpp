// Remote shares: 32 bytes for each handset, without which its container does not open (FORMATS.md 2.13; keys and values
// in LAYOUT.md).
//
// A handset makes its share and puts it here; it gets it back as long as the directory admits it. Suspending withholds
// by that alone; revoking deletes. Threads: any. Ownership: store and devices must outlive it. Errors: admit()'s,
// Errc::not_found, storage_conflict (a higher number is here), malformed, storage.
#pragma once

#include "nimes/crypto.hpp"
#include "shares/ports.hpp"
#include "store/store.hpp"

namespace nimes::gateway::shares {

struct Share {
    std::uint32_t number = 0;
    Secret<32> bytes;
};

class Shares {
  public:
    Shares(store::Store& store, const Devices& devices) : store_(store), devices_(devices) {}

    // The same number replaces: a handset repeats what it was cut off in. Durable when it returns.
    Result<void> put(const DeviceId& device, const Share& share);
    Result<Share> get(const DeviceId& device);
    // Of a revoked device: nothing gives it back.
    Result<void> erase(const DeviceId& device);

  private:
    store::Store& store_;
    const Devices& devices_;
};

}  // namespace nimes::gateway::shares
