// How this handset becomes a device (FORMATS.md 2.3, "Enrolment"): code by mail, key, the 128 bytes, certificate.
//
// Every step may be repeated; what was reached is in the door. Each byte that the gateway proposes is checked before it
// is signed. Functions take the core's lock and let go of it while the network answers. Errors: Errc::code_wrong,
// voucher_needed and approval_needed (repeat later), already_enrolled, proof_invalid (what the gateway proposed is not
// what was asked for), and the network's.
#pragma once

#include "engine/sync.hpp"

namespace nimes::agent::engine {

class Enrol {
  public:
    Enrol(Core& core, Network& network) : core_(core), network_(network) {}

    // Makes the identity key and remembers address and provisioning file.
    static Result<void> prepare(Core& core, Provisioning provisioning, const std::string& address);
    Result<void> request_code(Lock& lock);
    Result<void> redeem(Lock& lock, const std::string& code);
    // Once redeemed: signs, fetches the certificate, stores it.
    Result<void> finish(Lock& lock);
    [[nodiscard]] bool redeemed() const { return !core_.door.body.empty(); }

  private:
    Result<DeviceCert> check_body(ByteView body) const;
    Result<void> take_certificate(const v1::EnrolResult& result, const DeviceCert& asked);

    Core& core_;
    Network& network_;
};

}  // namespace nimes::agent::engine
