// How a person's handset becomes a device: code by mail, typed back, certificate (FORMATS.md 2.3, "Enrolment").
//
// Who asks for a code is answered before anything about the address is known, so the answer cannot tell whether it is
// on the roster; the rest happens on the enrolment's own thread. Every step may be repeated. Threads: any; start() and
// stop() from one. Ownership: store, roster, post, clock, random source and metrics must outlive it.
// Errors: Errc::rate_limited (per network; says nothing about the address), code_wrong (whatever is wrong), forbidden
// (private devices), ticket_unknown, signature_invalid, device_limit, not_found.
#pragma once

#include <memory>

#include "enrolment/ports.hpp"
#include "enrolment/tickets.hpp"
#include "nimes/crypto.hpp"
#include "operations/log.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::enrolment {

struct Offer {
    TicketId ticket;
    Bytes body;  // 128
};

// Exactly one of the three: done, waits for something, or sign this body instead (the entry moved on, or so much of the
// hold is over that it begins anew).
struct Outcome {
    std::optional<DeviceCert> certificate;
    std::optional<Errc> waiting_for;
    Bytes body;
    Bytes person;
};

class Enrolment {
  public:
    struct Needs {
        store::Store& store;
        Roster& roster;
        Post& post;
        const Clock& clock;
        RandomSource& random;
        const operations::Metrics& metrics;
        operations::Log& log;
    };

    Enrolment(const Needs& needs, Key pepper, Policy policy);
    ~Enrolment();
    void start();
    void stop();

    // Answers the same for every text that could be an address.
    Result<void> request_code(const std::string& address, const std::string& peer);
    struct Begin {
        std::string address, code;
        PublicKey identity;
        DeviceRole role = DeviceRole::service;
        std::uint16_t platform = 0;
    };
    Result<Offer> begin(const Begin& request, const std::string& peer);
    Result<Outcome> finish(const TicketId& ticket, const Signature& self_signature);
    // The bodies of devices that wait for this user's voucher.
    Result<std::vector<Bytes>> pending(const UserId& user);
    Result<void> vouch(const UserId& user, const DeviceId& by, const DeviceId& device, const Signature& signature);
    // Devices of people who have lost all others: an administrator looks at them, and approves.
    Result<std::vector<DeviceCert>> waiting();
    Result<void> approve(const DeviceId& device);
    Result<void> expire();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::enrolment
