// How a device joins: a code by mail, the device's key and signature, a voucher or approval where it is not the first
// (FORMATS.md 2.3 "Enrolment"; key layout in LAYOUT.md).
//
// From outside nobody learns who is on the roster: a request for a code is answered before the roster is read, and
// wrong codes are counted alike for every address. Whatever was answered is on disk; every step may be repeated.
// A first device is one of a person who never had any; further ones need a voucher by a device of theirs; when none of
// theirs can vouch any more, an administrator's approval. not_before of these lies `hold` after the 128 bytes are made.
// Threads: all functions from any thread, but start() and stop() from one. A thread of its own reads the roster and
// writes codes. Ownership: what Needs names must outlive it.
// Errors: Errc::rate_limited, busy, code_wrong, code_exhausted, forbidden (role), device_limit, exists, ticket_unknown,
// signature_invalid, storage_conflict (the entry moved on: begin again, the same code and key serve), not_found,
// malformed, storage.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "enrolment/codes.hpp"
#include "enrolment/mail.hpp"
#include "enrolment/roster.hpp"
#include "nimes/v1/directory.pb.h"
#include "operations/log.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::enrolment {

struct Options {
    Millis hold = 15 * kMinute;  // policy.device_hold_seconds
    bool private_devices_allowed = false;
    CodeRules codes;
    // By network. A station is behind one address, so bursts are large; guessing is limited by the tries of a code.
    Rate code_requests{120, 5 * kSecond};
    Rate steps{600, kSecond / 2};
    std::size_t queue = 4'096;  // requests for codes that wait
};

class Enrolment {
  public:
    struct Needs {
        store::Store& store;
        Roster& roster;
        Postman& postman;
        const Clock& clock;
        RandomSource& random;
        const operations::Metrics& metrics;
        operations::Log& log;
    };

    Enrolment(const Needs& needs, Key code_key, const Options& options);
    ~Enrolment();  // stops
    Enrolment(const Enrolment&) = delete;
    Enrolment& operator=(const Enrolment&) = delete;

    void start();
    void stop();  // requests that wait are dropped: their senders ask again
    // Removes what is over. Call it every few minutes.
    Result<void> tick();

    // Notes the request. Errors say nothing of the address: rate_limited (network), busy.
    Result<void> request_code(std::string address, std::string_view peer);
    Result<v1::EnrolOffer> begin(const v1::EnrolBegin& request, std::string_view peer);
    // certificate, or waiting_for.
    Result<v1::EnrolResult> finish(const v1::EnrolFinish& request, std::string_view peer);

    // For a device that is in: which devices of its user wait, and its signature for one of them.
    Result<v1::PendingDevices> pending(const UserId& user) const;
    Result<void> vouch(const UserId& user, const DeviceId& by, const v1::Voucher& voucher);

    // For administrators: devices that wait for an approval.
    struct Waiting {
        DeviceId device;
        UserId user;
        std::uint16_t platform = 0;
        Millis expires = 0;
    };
    Result<std::vector<Waiting>> waiting_for_approval() const;
    Result<void> approve(const DeviceId& device);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::enrolment
