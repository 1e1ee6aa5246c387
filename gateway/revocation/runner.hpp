// Carries orders out: each is journalled with its audit entry, recorded in the directory before order() returns, and
// then taken through its steps by a thread of its own, until every one is confirmed; again after a crash, from where
// the journal says. A step that failed is tried again after 1 s, then ever later, at most a minute.
//
// A later order on the same device or person takes the place of an earlier one that is not done: nothing more is done
// for that. Threads: any; start() and stop() from one. told(), obeyed() and noticed() never wait for a step.
// Ownership: everything in Needs must outlive it, and stop() must have returned before the rooms behind `hands` go.
// Errors: Errc::storage and what the directory answers: then the order stands and is carried out later, or (before it
// is in the journal) was never given.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "audit/log.hpp"
#include "operations/log.hpp"
#include "revocation/journal.hpp"
#include "revocation/ports.hpp"

namespace nimes::gateway::revocation {

struct Draft {
    Kind kind = Kind::suspend;
    std::optional<RevokeReason> reason;
    bool wipe = false;
    std::string scope, who, why;
    std::vector<UserId> people;  // with all their devices
    std::vector<DeviceId> devices;
};

class Runner {
  public:
    struct Needs {
        store::Store& store;
        Hands& hands;
        const Names& names;
        Keeper& keeper;
        audit::Log& audit;
        const Clock& clock;
        operations::Log& log;
    };
    explicit Runner(const Needs& needs) : needs_(needs), journal_(needs.store) {}
    ~Runner() { stop(); }

    // What a crash left open; and an order for each device that the directory calls revoked and no order names.
    Result<void> load();
    void start();
    void stop();

    // On disk when it returns. A device that is revoked already is left out; if nothing else is named, the order that
    // revoked it is answered. Errc::device_revoked for anything else that names one; what the keeper answers.
    Result<Order> order(const Draft& draft);
    // The directory shut a device out, perhaps by the word of its owner.
    void noticed(const DeviceId& device);
    // The brokers were sent, and hold, this mirror revision. Answers the seconds that each revocation took to be
    // obeyed.
    void told(std::uint64_t mirror_revision);
    std::vector<double> obeyed(std::uint64_t mirror_revision);

    Result<std::optional<Order>> find(std::uint64_t id);
    Result<std::optional<Order>> newest_of(const DeviceId& device);
    Result<std::vector<Order>> newest(std::uint64_t before, std::size_t limit);
    // Orders with a step that is not confirmed.
    [[nodiscard]] std::size_t pending() const;
    // What the thread does, once: for tests that stand in for it.
    void round();

  private:
    struct Run {
        Order order;
        std::set<DeviceId> asked;  // their mailboxes are being destroyed
        Millis again = 0;          // boot clock; not before
        unsigned failures = 0;
    };
    using Superseded = std::vector<Journal::Superseded>;

    void run();
    Result<Keeper::Held> may_be_given(const Order& order);
    Result<Order> given(std::uint64_t id);
    void pick_up(const DeviceId& device);
    void advance(std::uint64_t id);
    Result<void> record(std::uint64_t id);  // acting_ held
    Result<void> record_people(const Order& order);
    Result<void> record_devices(const Order& order);
    Result<void> steps(const Order& order);
    using Devices = std::vector<DeviceId>;
    // One step of some devices: done, and marked as done in one commit.
    Result<void> step(std::uint64_t id, const Devices& devices, Step step);
    Result<void> act(const Devices& devices, Step step);
    void destroy_mailboxes(std::uint64_t id, const Devices& devices);
    Result<void> list_chains(const Order& order);
    Result<void> look_at_owed(const Order& order);
    Result<void> finish(std::uint64_t id);
    Result<void> done(std::uint64_t id, const Devices& devices, Step step);
    // What the broker did up to this revision, in one commit. For how many targets it is new. mutex_ held.
    std::size_t broker_did(Order& order, std::uint64_t mirror_revision, Step step);
    [[nodiscard]] Superseded superseded_by(std::vector<Target> targets, std::uint64_t id) const;
    void supersede(const Superseded& old);
    [[nodiscard]] std::optional<Order> copy(std::uint64_t id) const;

    const Needs needs_;
    Journal journal_;
    std::mutex acting_;  // orders and their recording, one after the other: a later one is never undone by an earlier
    mutable std::mutex mutex_;  // what follows; taken last, held for no step
    std::condition_variable wake_;
    std::map<std::uint64_t, Run> runs_;
    std::vector<DeviceId> noticed_;
    bool woken_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::revocation
