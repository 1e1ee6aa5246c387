// The mailroom: the one thread that every message goes through, so that order is what it is by itself.
//
// Packets and presence come in from the broker's threads and wait in a bounded queue; the mailroom takes all that
// waits, commits it with one sync, answers, and sends what mailboxes hold. Only then a batch of packets counts as done,
// so while the store is slow they wait at the broker's plugin, which is bounded. What does not fit the queue is dropped
// and counted: the plugin hands a batch out again, the sender of a packet gets no Accepted and repeats. Threads: start
// and stop from one thread, the rest from any. `store`, `people`, `media`, `outlet`, `clock`, `metrics` and `log` must
// outlive it.
#pragma once

#include <functional>
#include <memory>

#include "mailbox/ports.hpp"
#include "nimes/conversation_event.hpp"
#include "operations/log.hpp"
#include "operations/metrics.hpp"
#include "store/store.hpp"

namespace nimes::gateway::mailbox {

class Mailroom {
  public:
    struct Needs {
        store::Store& store;
        const People& people;
        MediaLinks& media;
        Outlet& outlet;
        const Clock& clock;
        const operations::Metrics& metrics;
        operations::Log& log;
        Doorbell* doorbell = nullptr;                // nobody is woken
        std::vector<std::string> brokers{"edge-1"};  // by their numbers, as figures name them
    };

    Mailroom(const Needs& needs, Options options);
    ~Mailroom();
    Mailroom(const Mailroom&) = delete;
    Mailroom& operator=(const Mailroom&) = delete;

    void start();
    void stop();  // what waits is done and answered first; nothing more is taken

    // An UpBatch of a broker's plugin. `broker`: its number, from 0.
    void batch(Bytes up, std::size_t broker = 0);
    // One packet of n/<device>/up.
    void packet(const DeviceId& device, Bytes up);
    // The broker is linked, perhaps anew.
    void linked();
    void connected(const DeviceId& device, std::uint64_t connection);
    void gone(const DeviceId& device, std::uint64_t connection);
    void head_moved();
    // An event of the organisation, well-formed and signed (nimes/appointment.hpp): in its turn with what devices send.
    // Waits until it is stored. Errc::epoch_conflict (the group moved meanwhile), not_a_member, conversation_unknown,
    // storage, timed_out (it may still be taken).
    Result<void> appoint(const ConvEvent& event);
    // Over how long devices shall come back after the broker went away (Welcome, /v1/status).
    [[nodiscard]] std::uint32_t reconnect_spread_ms() const;
    // Ends the devices' sessions: they get nothing more, whatever their brokers do. The directory admits them no more.
    void shut(std::vector<DeviceId> devices);
    // Ends the devices' sessions and destroys their mailboxes; `done` is told on the mailroom's thread.
    void purge(std::vector<DeviceId> devices, std::function<void(const Result<void>&)> done);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::mailbox
