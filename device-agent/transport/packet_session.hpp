// A device's connection as the engine sees it: packets out, events in. MqttSession is the real one; tests that step
// time by hand have a twin.
//
// Events reach the sink that the session was made with. Errors of publish(): Errc::offline when not connected (nothing
// is kept), busy when the queue is full, too_large. Success means nothing but that: only the gateway's answer counts.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "nimes/error.hpp"
#include "nimes/time.hpp"
#include "transport/keepalive.hpp"

namespace nimes::agent::transport {

struct Connected {
    std::string broker;
};
enum class DisconnectCause : std::uint8_t {
    refused,  // CONNACK or SUBACK said no; reason is the MQTT 5 code
    closed,   // the broker sent DISCONNECT; reason is its code
    lost,     // the connection broke, or could not be made
    silent,   // nothing came when something should have
    no_token,
    asked,  // reconnect() or stop()
};
struct Disconnected {
    DisconnectCause cause = DisconnectCause::lost;
    std::uint8_t reason = 0;
    Millis next_try_in = 0;
    bool was_connected = false;  // false: an attempt failed
};
struct Packet {
    Bytes bytes;  // nimes.v1.Down, at most topic::kMaxPacket
};
// The broker took what was asked only for that; `heard`: somebody reads what we send, so the gateway is linked to it.
struct Alive {
    bool heard = true;
};
// To be remembered for this network.
struct PathLearned {
    std::string network;  // as network_changed() named it
    Keepalive::Path path;
};
using MqttEvent = std::variant<Connected, Disconnected, Packet, Alive, PathLearned>;
using MqttSink = std::function<void(MqttEvent)>;

enum class Expect : std::uint8_t { answer, nothing };

class PacketSession {
  public:
    PacketSession() = default;
    PacketSession(const PacketSession&) = delete;
    PacketSession& operator=(const PacketSession&) = delete;
    virtual ~PacketSession() = default;

    virtual Result<void> start() = 0;
    virtual void stop() = 0;
    // Queues one nimes.v1.Up.
    virtual Result<void> publish(Bytes up, Expect expect = Expect::answer) = 0;
    // The gateway's word: wait a random time up to this before the next connect.
    virtual void spread_next_connect(Millis spread) = 0;
    // The operating system's word: this device is now on the network of that name (opaque; "": not known). What stands
    // is made anew at once, and earlier failures are forgotten.
    virtual void network_changed(const std::string&) {}
    // A person waits: try at once, and begin with small pauses again. Nothing when connected.
    virtual void try_now() {}
    // Leaves this broker for another one, if there is one: the gateway does not hear it.
    virtual void elsewhere() {}
    [[nodiscard]] virtual bool connected() const = 0;
};

}  // namespace nimes::agent::transport
