// The plugin itself, without a word of Mosquitto: events in, answers out. plugin.cpp translates.
//
// All calls come from the broker's one thread; none blocks. What it wants of the broker (kicking, publishing, logging)
// goes through BrokerPort, and kicks and publishes only from on_tick(): from inside another callback they corrupt the
// broker. Errors: a refusal is an answer, counted and logged by its reason; no user data, no device ids in logs.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "identity/acl.hpp"
#include "identity/admission.hpp"
#include "identity/relay.hpp"
#include "identity/sessions.hpp"
#include "identity/snapshot.hpp"

namespace nimes::plugin {

enum class Level : std::uint8_t { info, warning, error };

class BrokerPort {
  public:
    virtual ~BrokerPort() = default;
    virtual void kick(const std::string& client_id) = 0;  // of a connection that is there now
    virtual void publish(const std::string& topic, ByteView payload) = 0;
    virtual void log(Level level, const std::string& text) = 0;
};

class Identity {
  public:
    // Loads the snapshot; without a good one devices are refused until the gateway sends a full copy.
    Identity(Options options, const Clock& clock, BrokerPort& port);

    bool on_auth(const void* connection, const Connect& connect);
    bool on_acl(const void* connection, const Ask& ask);
    // A packet that on_acl has allowed. True: it is taken over, to reach the gateway with the next tick.
    bool on_message(const void* connection, ByteView payload, int qos);
    void on_control(const void* connection, ByteView payload);
    void on_down(const void* connection, ByteView batch);  // delivered in the next tick
    void on_disconnect(const void* connection);
    void on_reload();  // the broker is about to ask on_auth again for every session, with its old token
    void on_tick();

  private:
    bool refuse(Refusal refusal);
    bool tick_is_missing(Millis now);
    void tell(const std::optional<Presence>& presence);
    void drain_kicks();
    void drain_presences();
    void drain_packets(Millis boot);
    void report(Millis now);
    void save();

    const Options options_;
    const Clock& clock_;
    BrokerPort& port_;
    const Millis started_;
    MirrorTable mirror_;
    SnapshotLog log_;
    SnapshotWriter writer_;
    Admission admission_;
    Sessions sessions_;
    Relay relay_;
    std::vector<Bytes> downs_;
    std::vector<DeviceId> kicks_;
    std::deque<Presence> presences_;
    bool announce_ = false;
    EdgeState reported_;
    EdgeState counters_;
    std::array<std::uint64_t, 16> refused_by_reason_{};
    Millis last_report_ = 0;
    Millis last_tick_ = 0;  // boot clock
    Millis refusals_logged_ = 0;
    Millis save_again_ = 0;  // boot clock
    bool reloading_ = false;
    bool ticked_ = false;  // ever
    bool dirty_ = false;
};

}  // namespace nimes::plugin
