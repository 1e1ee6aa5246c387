// What shares and wipe orders need of the directory and the keys of the organisation; `app` implements it. Called from
// HTTP worker threads, several at once.
#pragma once

#include <optional>

#include "nimes/v1/custody.pb.h"
#include "nimes/wipe.hpp"

namespace nimes::gateway::shares {

struct KnownDevice {
    UserId user;
    DeviceId device;
    PublicKey identity;
    // An administrator revoked it as lost or stolen.
    bool to_be_wiped = false;
};

class Devices {
  public:
    virtual ~Devices() = default;
    // Whoever it is, revoked or not.
    virtual std::optional<KnownDevice> find(const DeviceId& device) const = 0;
    // May it enter now? Errc::device_suspended, device_revoked, device_unknown.
    virtual Result<void> admit(const DeviceId& device) const = 0;
    // The device that signed this token for this gateway, now, and nothing said of whether it may enter. Errc::token_*.
    virtual Result<KnownDevice> recognise(std::string_view token) const = 0;
    // Its user's entry with head and proofs.
    virtual Result<v1::LookupAnswer> entry(const UserId& user, std::uint64_t held_revision) const = 0;
};

// Fills in administrator and both signatures.
class Signer {
  public:
    virtual ~Signer() = default;
    virtual void sign(WipeOrder& order) const = 0;
};

// How often somebody may knock.
class Gate {
  public:
    virtual ~Gate() = default;
    virtual bool from_network(const std::string& peer) = 0;
    virtual bool from_device(const DeviceId& device) = 0;
};

}  // namespace nimes::gateway::shares
