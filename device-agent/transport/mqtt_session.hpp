// One device's MQTT 5 connection, kept up for as long as the session runs: it connects to the broker its device falls
// to, subscribes n/<device>/down, says connected, hands on packets, notices silence, and tries again for ever with full
// jitter. It remembers nothing: the outbox is the engine's, and after each `connected` the engine says Hello. A dead
// connection is noticed by an answer that stays away, or by Paho's ping after the keepalive.
//
// All Paho calls are made by the session's own thread; Paho's callbacks only put events into queues (Paho has one
// receive thread and one mutex for the whole process). Up packets go as QoS 0: the gateway's Accepted is the receipt,
// and a PUBACK beside it would cost two packets on a thin link and promise nothing that matters.
// The events' sink is called by the session's threads, one call at a time: it must only enqueue, never block and never
// call the session. No call comes after stop() or the destructor has returned.
// Threads: every public function from any thread but the sink's caller. Ownership: clock and random outlive it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "transport/https_client.hpp"
#include "transport/reconnect_policy.hpp"

namespace nimes::agent::transport {

struct MqttOptions {
    std::vector<std::string> brokers;   // mqtts://host:port
    std::filesystem::path trust_store;  // PEM file of the provisioning's CA: Paho takes no bytes
    DeviceId device;
    unsigned keepalive_s = 240;              // 1 to 600
    Millis connect_timeout = 20 * kSecond;   // TCP, TLS, CONNACK and SUBACK together
    Millis answer_timeout = 30 * kSecond;    // silence after an Up that wants an answer: the connection is dead
    std::size_t max_queued_bytes = 1 << 20;  // Up bytes accepted and not yet handed to the network
    ReconnectPolicy::Limits reconnect;
};

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
using MqttEvent = std::variant<Connected, Disconnected, Packet>;
using MqttSink = std::function<void(MqttEvent)>;

enum class Expect : std::uint8_t { answer, nothing };

class MqttSession {
  public:
    // `token` is called by the session's thread, once for each attempt.
    MqttSession(MqttOptions options, TokenSource token, MqttSink sink, const Clock& clock, RandomSource& random);
    ~MqttSession();
    MqttSession(const MqttSession&) = delete;
    MqttSession& operator=(const MqttSession&) = delete;

    // Errc::bad_config for options that cannot work. Once.
    Result<void> start();
    // Says good-bye if it can, within two seconds (the resolver's time beside: nothing interrupts it). Idempotent.
    void stop();

    // Queues one nimes.v1.Up. Errc::offline when not connected (nothing is kept), busy when the queue is full,
    // too_large. Success means nothing but that: only the gateway's answer counts.
    Result<void> publish(Bytes up, Expect expect = Expect::answer);
    // The gateway's word: wait a random time up to this before the next connect.
    void spread_next_connect(Millis spread);
    // The network came back: do not wait for the next try. Nothing when connected.
    void try_now();
    // Drops the connection and makes another (new keys, or the engine misses something).
    void reconnect();
    [[nodiscard]] bool connected() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// The brokers in the order in which this device tries them: rendezvous hash, so that devices spread evenly and move
// little when the list changes.
std::vector<std::string> broker_order(std::vector<std::string> brokers, const DeviceId& device);

}  // namespace nimes::agent::transport
