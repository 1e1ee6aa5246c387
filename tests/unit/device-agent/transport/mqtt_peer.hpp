// The broker's side of one MQTT 5 connection, packet by packet. Nothing is checked but the packets' frames.
#pragma once

#include <optional>

#include "tls_server.hpp"

namespace nimes::test {

struct MqttPacket {
    int type = 0;  // 1 CONNECT, 3 PUBLISH, 8 SUBSCRIBE, 12 PINGREQ, 14 DISCONNECT
    Bytes body;
    std::uint8_t flags = 0;
};

struct MqttConnectPacket {
    std::uint8_t version = 0, flags = 0;
    std::uint16_t keepalive = 0;
    std::optional<std::uint32_t> session_expiry, max_packet;
    std::string client, user, password;
};
MqttConnectPacket parse_connect(ByteView body);

class MqttPeer {
  public:
    explicit MqttPeer(Stream& stream) : stream_(stream) {}

    std::optional<MqttPacket> packet();
    // The next one of that type; others are left out.
    std::optional<MqttPacket> await(int type);
    bool send(std::uint8_t first, ByteView body);
    // keepalive: the Server Keep Alive in seconds; 0: the client's holds.
    bool connack(std::uint8_t reason = 0, std::uint16_t keepalive = 0);
    bool suback(const MqttPacket& subscribe, std::uint8_t reason = 1);
    bool publish(std::string_view topic, ByteView payload);
    bool disconnect(std::uint8_t reason);
    // CONNECT, SUBSCRIBE and their answers; the CONNECT.
    std::optional<MqttConnectPacket> welcome(std::uint16_t keepalive = 0);
    // The number of the next PUBLISH that wants a PUBACK.
    std::optional<std::uint16_t> asked();
    bool puback(std::uint16_t number, std::uint8_t reason = 0);
    // Payload of the next PUBLISH.
    std::optional<Bytes> received();
    void cut() { stream_.cut(); }

  private:
    Stream& stream_;
};

}  // namespace nimes::test
