// The gateway's end of a broker in a test: a link, the mirror feed behind it, and all that was heard, kept.
//
// As gateway/app does it: the link's callbacks only put things away; the feed is asked by the test's thread, in
// until(), which waits for something to become true. Threads: the test's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "broker/link.hpp"
#include "broker/mirror_feed.hpp"
#include "harness/broker.hpp"
#include "harness/mqtt_client.hpp"
#include "nimes/encoding.hpp"
#include "nimes/token.hpp"
#include "nimes/topics.hpp"

namespace nimes::test {

struct Keys {
    SigningKeyPair directory = signing_key_from_seed(Bytes(32, 2));
    SigningKeyPair gateway = signing_key_from_seed(Bytes(32, 4));
};

struct Device {
    SigningKeyPair key;
    DeviceId id;
    explicit Device(std::uint8_t seed) : key(signing_key_from_seed(Bytes(32, seed))) {
        UserId user;
        user.bytes.fill(seed);
        id = device_id(user, key.public_key);
    }
    [[nodiscard]] std::string token(const std::string& url, Millis at = SystemClock().now()) const {
        SystemRandom random;
        return mint_token(key.secret, id, audience_of(url).value(), at, random);
    }
    // What a good device says.
    [[nodiscard]] MqttConnect hello(const std::string& url) const {
        MqttConnect out;
        out.client_id = to_text(id);
        out.username = to_text(id);
        out.password = token(url);
        return out;
    }
};

class Roster final : public gateway::broker::MirrorSource {
  public:
    void set(const Device& device, MirrorState state);
    [[nodiscard]] std::uint64_t revision() const override { return revision_; }
    [[nodiscard]] std::vector<MirrorItem> all() const override;
    [[nodiscard]] std::optional<std::vector<MirrorItem>> since(std::uint64_t revision) const override;

  private:
    struct Row {
        MirrorItem item;
        std::uint64_t changed;
    };
    std::map<DeviceId, Row> rows_;
    std::uint64_t revision_ = 1;
};

class Edge final : public gateway::broker::Handler {
  public:
    Edge(const Keys& keys, const Broker& broker, unsigned number = 1, std::size_t queue_bytes = 64U << 20);
    ~Edge() override { link.stop(); }
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    // Feeds the mirror until `condition` holds; false after half a minute. The condition may look at `heard`.
    bool until(const std::function<bool()>& condition);
    // Changes the mirror and waits until the plugin has obeyed.
    bool set(const Device& device, MirrorState state = MirrorState::active);
    [[nodiscard]] bool obeyed() const;
    void send(const DeviceId& device, ByteView down) {
        link.send(device, down);
        link.flush();
    }

    void linked() override;
    void unlinked() override;
    void batch(Bytes up) override;
    void packet(const DeviceId& device, Bytes up) override;
    void presence(const Presence& presence) override;
    void edge_state(const EdgeState& state) override;
    void figure(std::string_view topic, double value) override;

    struct Heard {
        int linked = 0;
        int unlinked = 0;
        std::vector<std::pair<DeviceId, Bytes>> packets;
        std::vector<std::uint64_t> batches;
        std::uint64_t dropped_at_edge = 0;
        std::vector<Presence> presences;
        std::optional<EdgeState> state;
        std::map<std::string, double> figures;
    };
    std::atomic<bool> deaf = false;  // says of no batch that it is done
    Heard heard;                     // under mutex, which until() holds for its condition

    SystemClock clock;
    SystemRandom random;
    Roster roster;
    gateway::broker::MirrorFeed feed;
    gateway::broker::Link link;

  private:
    std::mutex mutex_;
    std::vector<EdgeState> states_;  // not yet shown to the feed
    int links_ = 0;
};

// A broker with its gateway, linked, and a device that nobody has admitted yet.
struct World {
    Keys keys;
    Broker broker{keys.directory.public_key, keys.gateway.public_key};
    Edge gateway{keys, broker};
    Device device{11};

    World();
    [[nodiscard]] std::unique_ptr<MqttClient> client() const;
    [[nodiscard]] std::unique_ptr<MqttClient> connected(const Device& who) const;
};

}  // namespace nimes::test
