// One device's MQTT 5 connection, kept up for as long as the session runs: it connects to the broker its device falls
// to, subscribes n/<device>/down, says connected, hands on packets, notices silence, and tries again for ever with full
// jitter. It remembers nothing: the outbox is the engine's, and after each `connected` the engine says Hello.
//
// A dead connection is noticed by what does not come. After a silence that keepalive.hpp chooses, or when an answer is
// overdue, the broker is asked with the smallest packet that it must acknowledge itself; if nothing at all comes until
// the receipt's time is over, the connection is dead. A gateway that is away is thereby told from a path that is: only
// the latter is worth a new handshake.
//
// All Paho calls are made by the session's own thread; Paho's callbacks only put events into queues (Paho has one
// receive thread and one mutex for the whole process). Up packets go as QoS 0: the gateway's Accepted is the receipt,
// and a PUBACK beside it would cost two packets on a thin link and promise nothing that matters.
// The events' sink is called by the session's threads, one call at a time: it must only enqueue, never block and never
// call the session. No call comes after stop() or the destructor has returned.
// Threads: every public function from any thread but the sink's caller. Ownership: clock and random outlive it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "transport/https_client.hpp"
#include "transport/packet_session.hpp"
#include "transport/reconnect_policy.hpp"

namespace nimes::agent::transport {

struct MqttOptions {
    std::vector<std::string> brokers;   // mqtts://host:port
    std::filesystem::path trust_store;  // PEM file of the provisioning's CA: Paho takes no bytes
    DeviceId device;
    Keepalive::Limits keepalive;                   // 1 s to an hour
    std::map<std::string, Keepalive::Path> paths;  // remembered, by network
    Millis connect_timeout = 20 * kSecond;         // TCP, TLS, CONNACK and SUBACK together
    Millis answer_timeout = 20 * kSecond;          // silence after an Up that wants an answer: the broker is asked
    Millis receipt_timeout = 15 * kSecond;         // silence after that: the connection is dead
    std::size_t max_queued_bytes = 1 << 20;        // Up bytes accepted and not yet handed to the network
    ReconnectPolicy::Limits reconnect;
};

class MqttSession final : public PacketSession {
  public:
    // `token` is called by the session's thread, once for each attempt.
    MqttSession(MqttOptions options, TokenSource token, MqttSink sink, const Clock& clock, RandomSource& random);
    ~MqttSession() override;

    // Errc::bad_config for options that cannot work. Once.
    Result<void> start() override;
    // Says good-bye if it can, within two seconds (the resolver's time beside: nothing interrupts it). Idempotent.
    void stop() override;

    Result<void> publish(Bytes up, Expect expect = Expect::answer) override;
    void spread_next_connect(Millis spread) override;
    void network_changed(const std::string& name) override;
    void try_now() override;
    // Drops the connection and makes another (new keys, or the engine misses something).
    void reconnect();
    void elsewhere() override;
    [[nodiscard]] bool connected() const override;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// The brokers in the order in which this device tries them: rendezvous hash, so that devices spread evenly and move
// little when the list changes.
std::vector<std::string> broker_order(std::vector<std::string> brokers, const DeviceId& device);

}  // namespace nimes::agent::transport
