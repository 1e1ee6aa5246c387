// A small MQTT 5 client over TLS that does what it is told, wrong things too, and says exactly what came back.
//
// A reason is the code of MQTT 5 (0 success, 0x87 not authorised); kClosed: the broker ended the connection instead.
// One thread, blocking; a broker that answers nothing for half a minute fails the test (std::runtime_error).
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "nimes/bytes.hpp"

namespace nimes::test {

struct MqttMessage {
    std::string topic;
    Bytes payload;
};

struct MqttConnect {
    std::string protocol = "MQTT";  // "MQIsdp" with version 3
    std::string client_id;
    std::optional<std::string> username;
    std::optional<std::string> password;
    std::uint16_t keepalive = 60;
    std::uint8_t version = 5;
    bool clean_start = true;
    std::uint32_t session_expiry = 0;
    std::optional<MqttMessage> will;
    std::optional<std::string> auth_method;  // asks for AUTH packets
};

class MqttClient {
  public:
    static constexpr int kClosed = -1;
    static constexpr int kNotAuthorised = 0x87;

    MqttClient(std::uint16_t port, const std::filesystem::path& ca);
    ~MqttClient();
    MqttClient(const MqttClient&) = delete;
    MqttClient& operator=(const MqttClient&) = delete;

    int connect(const MqttConnect& as);
    int subscribe(const std::string& filter, int qos = 1);
    // QoS 1: the broker's reason. QoS 0 answers nothing: 0.
    int publish(const std::string& topic, ByteView payload, int qos = 1, bool retain = false);
    // The next message; nullopt when the connection ended.
    std::optional<MqttMessage> message();
    // Whether one came already, while something else was waited for.
    [[nodiscard]] bool has_message() const { return !messages_.empty(); }
    // What the broker said when it ended the connection: the reason of its DISCONNECT, or kClosed.
    int ended();
    // Whether the broker still answers on this connection.
    bool ping();
    // Any packet, or any bytes at all; and the body of the next packet of this type, nullopt when the connection ended.
    void send(int first, ByteView body);
    void send(ByteView bytes);
    std::optional<Bytes> reply(int type);
    // Ends TCP without a good-bye, as a lost network does; wills are for this.
    void drop();

  private:
    struct Tls;
    struct Packet {
        int type = 0;
        Bytes body;
    };
    bool take(std::span<std::uint8_t> into);
    std::optional<Packet> packet();
    // The next packet of this type; messages that come in between are kept.
    std::optional<Packet> await(int type);
    void keep(const Packet& publish);

    std::unique_ptr<Tls> tls_;
    std::deque<MqttMessage> messages_;
    int ended_ = kClosed;
    std::uint16_t next_id_ = 1;
};

}  // namespace nimes::test
