// What enrolment needs of the directory; `app` implements it.
//
// Called from HTTP worker threads and from enrolment's own, several at once. Nothing is cached between calls: what a
// call answers is the state at that moment, and certify() decides.
#pragma once

#include <optional>
#include <vector>

#include "nimes/device_record.hpp"
#include "nimes/service_address.hpp"

namespace nimes::gateway::enrolment {

struct KnownDevice {
    DeviceId device;
    PublicKey identity;
    bool counts = false;     // towards the limit: not revoked, not expired
    bool may_vouch = false;  // counts, its time has come, and it is not suspended
};

// An administrator's signature under 128 bytes.
struct Approval {
    DeviceId actor;
    Signature signature;
};

class Roster {
  public:
    virtual ~Roster() = default;
    // Does this domain equal one of the organisation's?
    virtual bool has_domain(std::string_view domain) const = 0;
    // Who may enrol under this address; nullopt: nobody.
    virtual std::optional<UserId> person(const ServiceAddress& address) const = 0;
    // The signed person record (FORMATS.md 3.2).
    virtual Result<Bytes> person_record(const UserId& user) const = 0;
    // Every device that ever was, revoked ones included: only one without any is a first device.
    virtual std::vector<KnownDevice> devices(const UserId& user) const = 0;

    // The first 128 bytes for a device that is about to join: seq, address hash and not_after are set.
    // Errc::exists: this key is or was a device.
    virtual Result<DeviceCert> draft(const UserId& user, const PublicKey& identity, DeviceRole role,
                                     Admission admission, std::uint16_t platform, Millis not_before) const = 0;
    // EA signs, everything is verified, stored and published. `cert` has all but EA's signature. A repeat answers the
    // same. Errc::storage_conflict: the entry moved on since draft(); device_limit, proof_invalid.
    virtual Result<DeviceCert> certify(const DeviceCert& cert) = 0;
    virtual Result<Approval> approve(ByteView body128) const = 0;
};

}  // namespace nimes::gateway::enrolment
