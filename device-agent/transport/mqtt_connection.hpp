// One MQTT 5 connection through Paho: CONNECT with a token, SUBSCRIBE, packets, good-bye. Private to mqtt_session.cpp,
// which makes a new one for each attempt, so that nothing of an old connection is carried over.
//
// Threads: one thread calls it; Paho's receive thread calls Events, holding a mutex of the whole process, so Events
// only enqueue. No Events call comes once the destructor has returned. Ownership: options, clock and events outlive it.
// Errors: none thrown; a refusal or a failure is a Disconnected.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "transport/mqtt_session.hpp"

namespace nimes::agent::transport {

class MqttConnection {
  public:
    class Events {
      public:
        virtual ~Events() = default;
        virtual void on_packet(ByteView down) = 0;
        virtual void on_lost() = 0;
        virtual void on_closed(std::uint8_t reason) = 0;
        // Asked while something is waited for: true ends the wait.
        [[nodiscard]] virtual bool is_over() = 0;
    };

    MqttConnection(const MqttOptions& options, const std::string& broker, const Clock& clock, Events& events);
    ~MqttConnection();
    MqttConnection(const MqttConnection&) = delete;
    MqttConnection& operator=(const MqttConnection&) = delete;

    // TCP, TLS, CONNECT and SUBSCRIBE within the options' connect_timeout; nullopt when all went well.
    std::optional<Disconnected> open(const std::string& token, Millis keepalive);
    // The broker's Server Keep Alive; 0: it takes ours. (Paho 1.3.12 does not follow it, paho.mqtt.c #1421.)
    [[nodiscard]] Millis server_keepalive() const;
    // Hands one Up to Paho; waits while the network takes less than we have. False when the connection is over.
    bool publish(ByteView up);
    // The smallest Up, as QoS 1: its PUBACK is the broker's own word, whether or not the gateway is there. False when
    // the connection is over.
    bool ask();
    // nullopt while the PUBACK is out, or after a failure.
    [[nodiscard]] std::optional<Alive> answer() const;
    // DISCONNECT, if it can be said within a second.
    void close();

  private:
    struct Paho;
    std::unique_ptr<Paho> paho_;
};

}  // namespace nimes::agent::transport
