// What the steps of a revocation need of the other rooms; `app` implements it. Called from the runner's thread and from
// those that give orders, never under a lock of the runner's but the one that keeps recording in order.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>

#include "nimes/service_address.hpp"
#include "revocation/order.hpp"

namespace nimes::gateway::revocation {

// Each may be repeated; each answers once it is done and, where it is to stay, on disk. Of several devices: all, or an
// error, and then it may be done for some.
class Hands {
  public:
    virtual ~Hands() = default;
    virtual Result<void> record(const Order& order, std::span<const DeviceId> devices) = 0;
    // Closes a person, or opens them: closed, they enrol nothing. Answers their devices that the order is for.
    virtual Result<std::vector<DeviceId>> record(const Order& order, const UserId& user) = 0;
    // The broker obeys what was recorded once it holds this.
    virtual std::uint64_t mirror_revision() = 0;
    using Devices = std::span<const DeviceId>;
    // Looks whether a token of these devices would be taken.
    virtual Result<void> tokens_refused(Devices devices) = 0;
    virtual Result<void> cut_requests(Devices devices) = 0;
    // `done` comes later, on another thread, once.
    virtual void destroy_mailboxes(Devices devices, std::function<void(const Result<void>&)> done) = 0;
    virtual Result<void> destroy_seal_keys(Devices devices) = 0;
    virtual Result<void> shares_withheld(Devices devices) = 0;
    virtual Result<void> delete_shares(Devices devices) = 0;
    virtual Result<void> order_wipes(Devices devices) = 0;
    // Chains of others that one of these devices holds.
    virtual Result<std::vector<Owed>> owed(const std::set<DeviceId>& devices) = 0;
    // Takes out what has been renewed, and what is owed by devices that are out themselves.
    virtual Result<void> drop_renewed(std::vector<Owed>& owed) = 0;

    // Devices that the directory calls revoked; and by whom one was.
    struct Found {
        std::string who;
        RevokeReason reason = RevokeReason::lost;
        bool wipe = false;
    };
    virtual std::vector<DeviceId> revoked() = 0;
    virtual std::optional<Found> revoked(const DeviceId& device) = 0;
};

// Who must not be shut out. What it answers is held until the order is recorded, so that no other act comes between.
class Keeper {
  public:
    virtual ~Keeper() = default;
    using Held = std::unique_lock<std::mutex>;
    virtual Result<Held> may_shut_out(const std::set<std::string>& addresses) = 0;
};

// What a broker holds of the directory's mirror, and whether one that does not hold enough is waited for.
struct BrokerLine {
    std::string name;
    bool linked = false;
    bool awaited = false;
    std::uint64_t mirror_revision = 0;
};

// Names for people who give orders and read them.
class Names {
  public:
    virtual ~Names() = default;
    virtual std::optional<UserId> user(const ServiceAddress& address) const = 0;
    virtual std::vector<UserId> unit(const std::string& name) const = 0;
    // Of a device, or of a person; "" for nobody known.
    virtual std::string address(const Subject& subject) const = 0;
    virtual std::string unit_of(const Subject& subject) const = 0;  // the same
    // active, suspended, revoked, … ; nullopt: no such device.
    virtual std::optional<std::string> state(const DeviceId& device) const = 0;
    virtual std::vector<BrokerLine> brokers() const { return {}; }
};

}  // namespace nimes::gateway::revocation
