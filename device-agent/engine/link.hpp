// The engine's side of MQTT: what the gateway says is handled on a thread of its own, one thing after the other.
//
// Messages, steps 2 and 7 meet here: outbox and inbox hang on it. After each connect it says Hello, sends the outbox,
// and brings directory, own entry and seal keys up to date. Threads: start() and stop() from one; the rest with the
// core's lock held.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "engine/acks.hpp"
#include "engine/compose.hpp"
#include "engine/duties.hpp"
#include "engine/inbox.hpp"
#include "engine/outbox.hpp"
#include "engine/roster_fetch.hpp"
#include "engine/sync.hpp"
#include "engine/sync_due.hpp"
#include "engine/unheard.hpp"

namespace nimes::agent::engine {

class Link {
  public:
    // Makes the session that reports to the sink.
    using SessionMaker = std::function<std::unique_ptr<transport::PacketSession>(transport::MqttSink)>;
    Link(Core& core, Network& network, Sync& sync, Compose& compose, const SessionMaker& make);
    ~Link();

    Result<void> start();
    void stop();
    [[nodiscard]] Outbox& outbox() { return outbox_; }
    [[nodiscard]] const Outbox& outbox() const { return outbox_; }
    [[nodiscard]] bool welcomed() const { return welcomed_; }
    [[nodiscard]] bool connected() const { return session_->connected(); }
    void network_changed(const std::string& key);
    // Somebody waits for a message to leave: no pause after failures is worth more. At most every five seconds, so that
    // what a program sends does not hammer a server that is away.
    void hurry();
    // Is the gateway still there, or does it ask who we are? Hello once more: synced() answers when it was welcomed
    // anew.
    void greet_again();
    // What arrived is acknowledged.
    [[nodiscard]] bool acknowledged() const { return !acks_.owed(); }
    // Nobody reads what we send: the broker is there, the gateway is not.
    [[nodiscard]] bool unheard() const { return unheard_.now(); }

    // What the thread does, for who steps time by hand instead of start(): one event, one second.
    Result<void> load();
    void handle(const transport::MqttEvent& event);
    void tick();
    // Everything that was in the mailbox at the last Hello is stored here.
    [[nodiscard]] bool synced() const;
    // The directory was asked since the last connect, whatever it said.
    [[nodiscard]] bool asked_directory() const { return sync_due_.was_asked(); }

  private:
    void push(transport::MqttEvent event);
    void run();
    void handle(Lock& lock, const transport::MqttEvent& event);
    void on_connected();
    void on_ended(Lock& lock, const transport::Disconnected& end);
    void on_refused(Lock& lock);
    void ask_status(Lock& lock);
    void acknowledge(bool gap = false);
    void note(Flight what, std::uint8_t cause = 0, std::uint16_t code = 0, std::uint64_t value = 0);
    std::chrono::steady_clock::time_point wake_at(std::chrono::steady_clock::time_point next_tick) const;
    void on_packet(Lock& lock, const Bytes& packet);
    void on_down(Lock& lock, const v1::Down& down);
    void on_welcome(Lock& lock, const v1::Welcome& welcome);
    void on_accepted(Lock& lock, const v1::Accepted& accepted);
    void on_deliver(Lock& lock, const v1::Deliver& deliver);
    void go_on(Lock& lock);
    void sync_if_due(Lock& lock);
    void note_drained(Millis at);
    void send_new();
    void tick(Lock& lock);
    void upload_due(Lock& lock);

    Core& core_;
    Network& network_;
    Sync& sync_;
    Compose& compose_;
    std::unique_ptr<transport::PacketSession> session_;
    Outbox outbox_;
    Inbox inbox_;
    RosterFetch rosters_;
    Duties duties_;
    Recovery recovery_;
    std::map<std::uint8_t, std::uint64_t> newest_;  // by lane, at the last Hello
    Acks acks_;
    bool welcomed_ = false;
    Unheard unheard_;
    Millis connected_at_ = 0;  // boot clock
    Millis next_status_ = 0;
    Millis next_hurry_ = 0;
    Millis said_hello_ = 0;  // time for erasing
    Millis next_expiry_ = 0;
    SyncDue sync_due_;
    Millis next_fetch_ = 0;
    bool doubted_ = false;  // the clock, at the last tick

    std::mutex queue_mutex_;
    std::condition_variable wake_;
    std::deque<transport::MqttEvent> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace nimes::agent::engine
