// The gateway's MQTT 5 connection to one broker, kept up for as long as the link runs.
//
// One thread of its own makes every Paho call: it connects with a fresh token, subscribes, sends what is queued, and
// tries again with full jitter when the connection ends. Paho's callbacks only hand on to Handler. Packets of devices
// come and go in batches (nimes/batch.hpp), since Paho spends as much on a small packet as on a large one: the broker's
// plugin gathers and splits them. They go as QoS 0: the mailbox sends again what a device does not acknowledge, so a
// PUBACK would promise nothing. Mirror parts go as QoS 1. The queue is bounded; what does not fit, or is queued without
// a connection, is dropped and counted.
// Threads: all functions from any thread; Handler's are called by Paho's receive thread and by the link's, and must
// only enqueue. No call comes after stop() has returned. Errors: Errc::bad_config for options that cannot work.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "nimes/mirror.hpp"

namespace nimes::gateway::broker {

struct LinkOptions {
    std::string url;           // mqtts://host:port, as the token's audience says it
    std::string dial;          // where to connect to, if elsewhere
    std::filesystem::path ca;  // PEM
    unsigned number = 1;       // of this gateway's connections to this broker
    Millis connect_timeout = 20 * kSecond;
    Millis first_wait = 250;  // full jitter, doubling
    Millis longest_wait = 30 * kSecond;
    std::size_t queue_bytes = 64 * 1024 * 1024;
};

class Handler {
  public:
    virtual ~Handler() = default;
    virtual void linked() = 0;
    virtual void unlinked() = 0;
    // An UpBatch, not yet parsed. Once all of it is dealt with, its number goes into Link::done.
    virtual void batch(Bytes up) = 0;
    // One packet that its device published with QoS 1.
    virtual void packet(const DeviceId& device, Bytes up) = 0;
    virtual void presence(const Presence& presence) = 0;
    virtual void edge_state(const EdgeState& state) = 0;
    // A number of Mosquitto's own: "$SYS/broker/publish/messages/dropped".
    virtual void figure(std::string_view topic, double value) = 0;
};

class Link {
  public:
    Link(LinkOptions options, const SigningKeyPair& key, Handler& handler, const Clock& clock, RandomSource& random);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    Result<void> start();
    void stop();  // what was handed in before goes out first, for at most two seconds
    // Packets leave in order, at the latest with flush(): call it when all that belongs together was handed in.
    void send(const DeviceId& device, ByteView down);
    void done(std::uint64_t up_batch);
    void flush();
    void control(Bytes mirror_part);
    [[nodiscard]] bool linked() const;
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::broker
