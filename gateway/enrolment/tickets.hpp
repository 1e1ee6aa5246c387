// Enrolments under way, in the store: from the right code to the certificate, and a day longer for repeats.
//
// A ticket is known to the device that has it alone. Devices that wait for a voucher or an approval also stand in an
// index of their user. A change is a compare-and-set of what was read: Errc::storage_conflict, read again.
// Threads: any. Errors: Errc::ticket_unknown, not_found (index), storage.
#pragma once

#include <optional>
#include <vector>

#include "enrolment/codes.hpp"
#include "nimes/device_record.hpp"

namespace nimes::gateway::enrolment {

inline constexpr std::size_t kMaxPending = 16;  // shown of one user

struct Ticket {
    TicketId id;
    Millis expires = 0;
    DeviceCert cert;  // grows: body, self signature, voucher, EA's signature

    [[nodiscard]] bool signed_by_device() const { return !cert.self_signature.is_zero(); }
    [[nodiscard]] bool vouched() const {
        return cert.admission == Admission::first || !cert.voucher_signature.is_zero();
    }
    [[nodiscard]] bool done() const { return !cert.ea_signature.is_zero(); }
};

class Tickets {
  public:
    Tickets(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    Result<void> add(const Ticket& ticket);
    Result<Ticket> get(const TicketId& id) const;
    // Puts `next` in the place of `was`.
    Result<void> replace(const Ticket& was, const Ticket& next);

    // The index. Both are idempotent.
    Result<void> show(const Ticket& ticket);
    Result<void> hide(const Ticket& ticket);
    // Signed by their devices, not yet admitted; oldest device id first.
    Result<std::vector<Ticket>> pending(const UserId& user) const;
    Result<Ticket> pending(const UserId& user, const DeviceId& device) const;
    // Of all users, those that wait for an administrator.
    Result<std::vector<Ticket>> pending_approvals() const;

    Result<void> sweep();

  private:
    store::Store& store_;
    const Clock& clock_;
};

}  // namespace nimes::gateway::enrolment
