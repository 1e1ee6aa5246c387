// What the mailbox needs of others, and gives to others: small interfaces that `app` implements.
//
// All are called from the mailroom's one thread; implementations may be used by other threads too. None may block for
// long: a slow People or Outlet delays every message.
#pragma once

#include <vector>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::mailbox {

struct Target {
    DeviceId device;
    UserId user;
    std::uint32_t dev_no = 0;
    auto operator<=>(const Target&) const = default;
};

// Which users' entries moved since a revision: a hint for agents, never a proof.
struct HeadHint {
    std::uint64_t revision = 0;
    std::vector<UserId> changed;
    bool too_many = false;
};

class People {
  public:
    virtual ~People() = default;
    // The user of a device that may send now; else Errc::device_unknown, device_suspended, device_revoked.
    virtual Result<UserId> sender(const DeviceId& device) const = 0;
    // Active devices of a user; empty when there is none. Errc::recipient_unknown for no such user.
    virtual Result<std::vector<Target>> devices_of(const UserId& user) const = 0;
    virtual HeadHint head_since(std::uint64_t revision) const = 0;
    virtual std::uint32_t seal_batch(const DeviceId& device) const = 0;  // 0: none
    // The signed policy, for who holds this one; empty: there is no newer one.
    virtual Bytes policy_since(std::uint64_t) const { return {}; }
};

// Media live and die with the messages that name them.
class MediaLinks {
  public:
    virtual ~MediaLinks() = default;
    // The blob lives until `expires`. On disk before it returns, since the message that names it is accepted after it.
    // Errc::not_found unless the sender has such a finished upload.
    virtual Result<void> link(const BlobId& blob, const DeviceId& sender, Millis expires) = 0;
};

class Outlet {
  public:
    virtual ~Outlet() = default;
    // One nimes.v1.Down for a device. May be lost: the mailbox's own acknowledgement decides.
    virtual void send(const DeviceId& device, ByteView down) = 0;
    // All packets of this batch of this broker are dealt with.
    virtual void done(std::size_t broker, std::uint64_t up_batch) = 0;
    // What was sent and done until now goes together.
    virtual void flush() = 0;
};

class Doorbell {
  public:
    virtual ~Doorbell() = default;
    // Something is stored for a device that has no session. Only a hint: it may be lost.
    virtual void waits(const DeviceId& device) = 0;
};

struct Options {
    Millis retention = 7 * kDay;
    std::size_t max_entries = 20'000;           // waiting in one mailbox
    std::uint32_t reconnect_spread_ms = 2'000;  // at least,
    std::uint32_t spread_ms_each = 2;           // for each device: a broker makes some 1,000 handshakes a second
    std::size_t window_entries = 256;           // unacknowledged, for one device
    std::size_t window_bytes = 256 * 1024;
    Millis resend_after = 15 * kSecond;  // without an acknowledgement
    int resends = 4;                     // then the device counts as gone until its next Hello
    Millis started = 0;                  // this process, set by the mailroom: numbers go on from here (mailboxes.hpp)
};

}  // namespace nimes::gateway::mailbox
