// Posts wake-ups: a thread of its own with a few transfers at a time, so that one slow push service holds up nobody.
//
// A POST without a body, TTL and Urgency of RFC 8030, no redirects, no proxy, no cookies, TLS checked against the
// system's authorities. An answer's body is not read beyond a few KiB, and a transfer that is not done in ten seconds
// has failed. 2xx: done. 404 and 410: the endpoint is forgotten. Everything else is tried again when the pacer allows
// it. Threads: all functions from any. Ownership: everything in Needs must outlive it. Errors: counted and never told
// to the mailbox: a wake-up that fails costs time and no message.
#pragma once

#include <memory>

#include "operations/log.hpp"
#include "operations/metrics.hpp"
#include "wake/address_rules.hpp"
#include "wake/endpoints.hpp"
#include "wake/pacer.hpp"

namespace nimes::gateway::wake {

class Waker {
  public:
    struct Options {
        Rules rules;
        Pacer::Limits pace;
        std::size_t parallel = 16;
        Millis timeout = 10 * kSecond;
    };
    struct Needs {
        Endpoints& endpoints;
        const Clock& clock;
        const operations::Metrics& metrics;
        operations::Log& log;
    };
    Waker(const Needs& needs, Options options);
    ~Waker();
    Waker(const Waker&) = delete;
    Waker& operator=(const Waker&) = delete;

    void start();
    void stop();  // transfers under way are cut
    // Its mailbox grew, and it has no session. Nothing for a device without an endpoint.
    void waits(const DeviceId& device);
    void came(const DeviceId& device);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::wake
