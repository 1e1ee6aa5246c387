// Message, step 6, delivery: what waits in a mailbox goes to its device, in order, until the device says it has it.
// (Before: commit.cpp. Next: the agent's inbox.)
//
// What was committed just now goes out from memory; what waited longer is read from the store.
// A session lasts from a Hello to the connection's end. At most a window of entries is under way to a device
// (pace.hpp); what is not acknowledged in time is sent again. Every envelope says what stands before it, so a device
// that lost one takes none behind it and says so: a packet that got lost costs a delay and nothing else. A device that
// stays silent counts as gone; when it is heard again, or was there before this gateway came, it is asked for its
// Hello. Used from the mailroom's thread only. Errors of the store end the session: the next Hello begins anew.
#pragma once

#include <atomic>
#include <utility>

#include "mailbox/answers.hpp"
#include "mailbox/pace.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::mailbox {

class Delivery {
  public:
    Delivery(store::Store& store, Committer& committer, const People& people, Outlet& outlet, const Options& options,
             const operations::Metrics& metrics)
        : store_(store),
          committer_(committer),
          mailboxes_(committer.mailboxes()),
          people_(people),
          outlet_(outlet),
          options_(options),
          metrics_(metrics) {}

    // Answers Welcome, then everything that waits.
    void hello(const DeviceId& device, const Hello& hello, Millis now);
    void acknowledge(const DeviceId& device, const Ack& ack, Millis now);
    // Something else came from the device: if it counts as gone, it is asked for its Hello with the next tick.
    void heard(const DeviceId& device, Millis now);
    // From the broker, always before the connection's Hello. `connection` rises: a late "gone" of an older connection
    // changes nothing. A device that is connected and stays silent was there before this gateway came: it is asked.
    void connected(const DeviceId& device, std::uint64_t connection, Millis now);
    void gone(const DeviceId& device, std::uint64_t connection);
    void end(const DeviceId& device);
    // Sends what the window allows; nothing for a device without a session.
    void pump(const DeviceId& device, Millis now);
    // The same for what was committed just now, without reading it back: gathered until flush(), so that a device gets
    // all of a round in one Deliver, and acknowledges it once.
    void offer(const Outcome& outcome, Millis now);
    void flush();
    // The broker is linked anew: what was under way to devices may be lost, and is sent again.
    void linked(Millis now);
    // Passes on what is not stored, if the device is here and keeps up: a signal must not delay what must arrive.
    void pass_on(const DeviceId& device, const Bytes& down);
    // The directory moved: everyone connected is told.
    void head_moved();
    // Sends again what was not acknowledged in time; asks those who said no Hello.
    void tick(Millis now);

    // Devices that went while something was under way to them, since the last call: nobody has rung for it.
    std::vector<DeviceId> take_left() { return std::exchange(left_, {}); }

    [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
    // Over how long the devices that are here shall come back after the broker went away. Any thread.
    [[nodiscard]] std::uint32_t spread_ms() const { return spread_ms_; }
    [[nodiscard]] bool has_session(const DeviceId& device) const { return sessions_.contains(device); }

  private:
    struct UnderWay {
        std::uint64_t sequence;
        Millis received;
        Millis sent;
        std::uint32_t bytes;
        Lane lane;
    };
    struct Session {
        std::uint64_t connection = 0;  // 0: not known
        std::uint64_t head_revision = 0;
        // By lane: the next to send, the last that was sent, the last that the device said it holds.
        std::array<std::uint64_t, 4> next{}, last{}, held{};
        std::vector<UnderWay> under_way;
        std::size_t bytes_under_way = 0;
        Pace pace;
        Millis last_progress = 0;
        int resends = 0;
    };
    struct Packet;
    void flush(const DeviceId& device);

    [[nodiscard]] bool open(const Session& session) const;
    static void note_sent(Session& session, const Place& place, Millis received, std::size_t bytes, Millis now);
    void settle(Session& session, const Mark& mark, Millis now);
    static void take_back(Session& session);
    void count_sessions();
    void welcome(const DeviceId& device, Session& session, std::uint64_t policy_serial, Millis now);
    bool fill(const DeviceId& device, Session& session, Lane lane, Packet& packet, Millis now);
    void flush(const DeviceId& device, Packet& packet);
    void ask_silent(Millis now);
    void leave(const DeviceId& device);

    store::Store& store_;
    Committer& committer_;
    Mailboxes& mailboxes_;
    const People& people_;
    Outlet& outlet_;
    const Options& options_;
    const operations::Metrics& metrics_;
    std::unordered_map<DeviceId, Session> sessions_;
    std::atomic<std::uint32_t> spread_ms_ = options_.reconnect_spread_ms;
    std::unordered_map<DeviceId, DeliverPacket> gathered_;
    struct Silent {
        std::uint64_t connection = 0;  // 0: not known
        Millis next_ask = 0;
        int asked = 0;
    };
    std::unordered_map<DeviceId, Silent> silent_;  // here, without a session
    std::vector<DeviceId> left_;
};

}  // namespace nimes::gateway::mailbox
