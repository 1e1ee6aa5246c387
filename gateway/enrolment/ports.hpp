// What enrolment needs of the directory and of the post; `app` implements the first, mailer.hpp the second.
#pragma once

#include <optional>
#include <vector>

#include "nimes/device_record.hpp"
#include "nimes/service_address.hpp"

namespace nimes::gateway::enrolment {

// Called from HTTP worker threads and the enrolment's own.
class Roster {
  public:
    virtual ~Roster() = default;
    // The person of that address; nullopt for a foreign domain and for nobody.
    virtual std::optional<UserId> find(const ServiceAddress& address) const = 0;
    // A first device needs its code alone; a further one a voucher by an active one; when all are lost or revoked, an
    // administrator's approval.
    virtual Admission next_admission(const UserId& user) const = 0;
    // The administrator's voucher: who, and the signature over the body.
    virtual std::pair<DeviceId, Signature> approve(const DeviceCert& cert) const = 0;
    virtual Result<DeviceCert> draft(const UserId& user, const PublicKey& identity, DeviceRole role,
                                     Admission admission, std::uint16_t platform, Millis not_before) const = 0;
    // Errc::storage_conflict when the entry moved on since the draft.
    virtual Result<DeviceCert> certify(const DeviceCert& cert) = 0;
    virtual std::optional<PublicKey> identity_of(const DeviceId& device) const = 0;
    virtual Bytes person_record(const UserId& user) const = 0;
};

class Post {
  public:
    virtual ~Post() = default;
    // Queues; never blocks on the network.
    virtual void send_code(const ServiceAddress& to, const std::string& code) = 0;
};

struct Policy {
    Millis code_life = 30 * kMinute;
    int tries = 5;
    Millis device_hold = 900 * kSecond;
    bool private_devices = false;
    Millis ticket_life = kDay;
    // Windows of the rate limits.
    unsigned codes_per_address = 3;           // in code_life
    unsigned requests_per_network = 60;       // in code_life
    unsigned codes_per_organisation = 5'000;  // in code_life, so that nobody makes a mail server drown in codes
};

}  // namespace nimes::gateway::enrolment
