// Enrolments under way: from the offer of 128 bytes to the certificate. Kept a day, so that every step may be repeated.
// Layout: LAYOUT.md. Threads: any; the caller holds the enrolment's lock. Errors: Errc::ticket_unknown, storage.
#pragma once

#include "enrolment/ports.hpp"
#include "store/store.hpp"

namespace nimes::gateway::enrolment {

using TicketId = Id<struct TicketTag, 16>;

struct Ticket {
    TicketId id;
    Millis ends = 0;
    DeviceCert cert;  // body; self signature, voucher and its signature as they come in
    bool complete = false;

    [[nodiscard]] bool is_signed() const { return !cert.self_signature.is_zero(); }
};

class Tickets {
  public:
    explicit Tickets(store::Store& store) : store_(store) {}
    Result<void> put(const Ticket& ticket);
    Result<Ticket> find(const TicketId& id, Millis now);
    Result<std::vector<Ticket>> open(Millis now);
    // Open ones of a user.
    Result<std::vector<Ticket>> of_user(const UserId& user, Millis now);
    Result<void> expire(Millis now);

  private:
    Result<std::vector<Ticket>> all();
    store::Store& store_;
};

}  // namespace nimes::gateway::enrolment
