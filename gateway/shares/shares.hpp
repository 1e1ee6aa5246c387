// Remote shares: 32 bytes for each handset, without which its container does not open (FORMATS.md 2.13; keys and values
// in LAYOUT.md).
//
// A handset makes its share and puts it here; it gets it back as long as the directory admits it. Suspending withholds
// by that alone; revoking deletes. In the store they lie sealed (seal.hpp). Threads: any, once prepare() has returned.
// Ownership: store and devices must outlive it. Errors: admit()'s, Errc::not_found, storage_conflict (a higher number
// is here), malformed, storage; bad_config (the keys that are held do not open what is there).
#pragma once

#include "shares/ports.hpp"
#include "shares/seal.hpp"
#include "store/store.hpp"

namespace nimes::gateway::shares {

class Shares {
  public:
    Shares(store::Store& store, const Devices& devices, Seal seal)
        : store_(store), devices_(devices), seal_(std::move(seal)) {}

    // Are there shares under a key already? Then another one must not be made.
    static Result<bool> sealed(store::Store& store);
    // Once, before all else: what lies there unsealed or under the retired key is sealed under the one that seals now.
    // What it was before goes from the store's files soon afterwards, at this start or the next. Answers how many.
    Result<std::size_t> prepare();

    // The same number replaces: a handset repeats what it was cut off in. Durable when it returns.
    Result<void> put(const DeviceId& device, const Share& share);
    Result<Share> get(const DeviceId& device);
    // Of revoked devices: nothing gives them back. One commit.
    Result<void> erase(std::span<const DeviceId> devices);
    Result<void> erase(const DeviceId& device) { return erase(std::span(&device, 1)); }

  private:
    Result<std::optional<Share>> read(const DeviceId& device);
    Result<void> compact_again();
    Result<std::optional<store::Batch>> sealed_anew(const DeviceId& device);

    store::Store& store_;
    const Devices& devices_;
    const Seal seal_;
};

}  // namespace nimes::gateway::shares
