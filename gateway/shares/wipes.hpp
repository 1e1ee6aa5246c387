// Wipe orders: made for a device that an administrator revoked as lost or stolen, handed to it when it says farewell,
// answered by its receipt (FORMATS.md 2.13; keys and values in LAYOUT.md).
//
// A receipt is the device's word, not a proof; without one the order stays "delivered, no receipt". Threads: any.
// Ownership: store, ports, clock and random source must outlive it. Errors: Errc::device_unknown, signature_invalid,
// not_found (a receipt for no order of that device), malformed, storage.
#pragma once

#include "shares/ports.hpp"
#include "store/store.hpp"

namespace nimes::gateway::shares {

// How far an order came; times are ms since 1970 UTC, 0: not yet.
struct WipeFacts {
    Millis ordered = 0;
    Millis expires = 0;
    Millis delivered = 0;
    Millis receipted = 0;
    std::optional<WipeResult> result;
};

class WipeOrders {
  public:
    WipeOrders(store::Store& store, const Devices& devices, const Signer& signer, const Clock& clock,
               RandomSource& random)
        : store_(store), devices_(devices), signer_(signer), clock_(clock), random_(random) {}

    // An order that runs is kept: a second call changes nothing. Durable when it returns; one commit.
    Result<void> order(std::span<const DeviceId> devices);
    Result<void> order(const DeviceId& device) { return order(std::span(&device, 1)); }
    // nullopt: none, or its time is over, or it was receipted. Whoever asks has it now: that is written down first.
    Result<std::optional<WipeOrder>> deliver(const DeviceId& device);
    // The same receipt again answers the same.
    Result<void> receive(const WipeReceipt& receipt);
    Result<WipeFacts> facts(const DeviceId& device);

  private:
    Result<std::optional<WipeOrder>> stored(const DeviceId& device);
    // nullopt: one runs.
    Result<std::optional<store::Batch>> made(const DeviceId& device);

    store::Store& store_;
    const Devices& devices_;
    const Signer& signer_;
    const Clock& clock_;
    RandomSource& random_;
};

}  // namespace nimes::gateway::shares
