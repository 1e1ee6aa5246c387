// An edge in a test: keys, a mirror that is signed like the gateway's, and a clock that stands still until told.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>

#include "identity/identity.hpp"
#include "nimes/encoding.hpp"
#include "nimes/topics.hpp"

namespace nimes::test {

struct FakeClock final : Clock {
    Millis wall = 1'780'000'000'000;
    Millis since_boot = 100'000;
    [[nodiscard]] Millis now() const override { return wall; }
    [[nodiscard]] Millis boot() const override { return since_boot; }
    void advance(Millis by) {
        wall += by;
        since_boot += by;
    }
};

struct FakeBroker final : plugin::BrokerPort {
    std::vector<std::string> kicked;
    std::vector<std::pair<std::string, Bytes>> published;
    std::string logged;
    void kick(const std::string& id) override { kicked.push_back(id); }
    void publish(const std::string& topic, ByteView payload) override {
        published.emplace_back(topic, to_bytes(payload));
    }
    void log(plugin::Level, const std::string& text) override { logged += text + "\n"; }
    std::vector<Presence> presences() {
        std::vector<Presence> out;
        for (const auto& [topic, payload] : published)
            if (topic.ends_with("/presence"))
                for (ByteView left = payload; !left.empty(); left = left.subspan(Presence::kBytes))
                    out.push_back(Presence::parse(left.first(Presence::kBytes)).value());
        return out;
    }
};

struct Device {
    SigningKeyPair key;
    DeviceId id;
    std::string text;
    explicit Device(std::uint8_t seed) : key(signing_key_from_seed(Bytes(32, seed))) {
        UserId user;
        user.bytes.fill(seed);
        id = device_id(user, key.public_key);
        text = to_text(id);
    }
};

struct Edge {
    static constexpr const char* kUrl = "mqtts://edge.example:8883";
    SigningKeyPair directory = signing_key_from_seed(Bytes(32, 2));
    SigningKeyPair gateway = signing_key_from_seed(Bytes(32, 4));
    std::string gateway_text = to_text(key_actor(gateway.public_key));
    std::filesystem::path folder;
    FakeClock clock;
    FakeBroker broker;
    SystemRandom random;
    plugin::Options options;
    std::uint64_t revision = 1;

    Edge() {
        std::string name = (std::filesystem::temp_directory_path() / "nimes-edge-XXXXXX").string();
        folder = mkdtemp(name.data());
        options.broker = "edge-1";
        options.org = org_id("polizei-test");
        options.directory_key = directory.public_key;
        options.gateway_key = gateway.public_key;
        options.audiences = {audience_of(kUrl).value()};
        options.snapshot = folder / "snapshot";
    }
    ~Edge() { std::filesystem::remove_all(folder); }
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    MirrorItem item(const Device& d, MirrorState state = MirrorState::active) const {
        return {d.id, d.key.public_key, state, clock.wall - kDay, clock.wall + kDay};
    }
    MirrorPart full(std::vector<MirrorItem> items) {
        std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
        return {MirrorPart::Kind::full, options.org, "edge-1", clock.wall, 0, revision, 0, 1, std::move(items)};
    }
    MirrorPart delta(std::vector<MirrorItem> items) {
        MirrorPart out{MirrorPart::Kind::delta, options.org, "edge-1", clock.wall, revision, revision + 1, 0, 1,
                       std::move(items)};
        ++revision;
        return out;
    }
    Bytes sign(const MirrorPart& part) const { return part.encode_signed(directory.secret); }
    std::string token(const SigningKeyPair& key, const DeviceId& id, Millis issued, const char* url = kUrl) {
        return mint_token(key.secret, id, audience_of(url).value(), issued, random);
    }
    std::string token(const Device& d) { return token(d.key, d.id, clock.wall); }
    std::string gateway_token() { return token(gateway, key_actor(gateway.public_key), clock.wall); }
};

inline plugin::Connect connect(std::string_view id, std::string_view token) { return {id, id, token, 5, 240}; }

}  // namespace nimes::test
