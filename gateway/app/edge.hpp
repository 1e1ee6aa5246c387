// The gateway's side of one broker: hands packets and presence to the mailroom, feeds the mirror, and follows how far
// the broker has obeyed.
//
// Paho's thread only puts events into a queue; a thread of its own signs and sends. Threads: Handler's functions from
// the link's threads, the others from any; start() and stop() from one. Ownership: everything in Needs must outlive it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "app/obedience.hpp"
#include "app/presences.hpp"
#include "broker/link.hpp"
#include "broker/mirror_feed.hpp"
#include "mailbox/mailroom.hpp"
#include "operations/log.hpp"
#include "operations/metrics.hpp"
#include "revocation/runner.hpp"
#include "wake/waker.hpp"

namespace nimes::gateway::app {

class Edge final : public broker::Handler {
  public:
    struct Needs {
        std::size_t number;  // of the broker, from 0
        std::string name;
        broker::MirrorFeed& feed;
        const broker::MirrorSource& mirror;
        Obedience& obedience;
        Presences& presences;
        mailbox::Mailroom& mailroom;
        revocation::Runner& revocations;
        const operations::Metrics& metrics;
        operations::Log& log;
        const Clock& clock;
        wake::Waker* waker = nullptr;  // nobody is woken
    };
    explicit Edge(const Needs& needs) : needs_(needs) {}
    ~Edge() override { stop(); }

    void start(broker::Link& link);
    void stop();
    // The directory's mirror moved.
    void mirror_moved();

    void linked() override;
    void unlinked() override;
    void batch(Bytes up) override { needs_.mailroom.batch(std::move(up), needs_.number); }
    void packet(const DeviceId& device, Bytes up) override { needs_.mailroom.packet(device, std::move(up)); }
    void presence(const Presence& presence) override;
    void edge_state(const EdgeState& state) override;
    void figure(std::string_view topic, double value) override;

  private:
    struct Linked {};
    struct Unlinked {};
    struct Moved {};
    using Event = std::variant<Linked, Unlinked, Moved, EdgeState>;

    void push(Event event);
    void run();
    void handle(const Event& event);
    void on_state(const EdgeState& state);
    void confirm();
    void show_lag();
    void send(std::vector<Bytes> parts);

    const Needs needs_;
    broker::Link* link_ = nullptr;
    std::uint64_t holds_ = 0;    // as the broker said last, since it was linked
    std::uint64_t awaited_ = 0;  // a revision that was the newest at awaited_since_, boot clock
    Millis awaited_since_ = 0;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Event> events_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::app
