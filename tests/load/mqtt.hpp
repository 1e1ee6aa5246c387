// MQTT 5 on the wire, as far as a device or a plain QoS 1 client speaks it (OASIS MQTT 5.0).
//
// Encoders append to a buffer, so that many packets leave in one write. next_frame() cuts what came into packets
// without copying: views point into the buffer it was given. Pure; thread safe. Errors: Errc::malformed, too_large.
#pragma once

#include <optional>
#include <string>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

namespace nimes::load::mqtt {

enum class Type : std::uint8_t {
    connect = 1,
    connack,
    publish,
    puback,
    subscribe = 8,
    suback,
    pingreq = 12,
    pingresp,
    disconnect
};

struct Connect {
    std::string client;
    std::string user;      // empty: none
    std::string password;  // empty: none
    std::uint16_t keepalive_s = 240;
    std::uint32_t session_expiry_s = 0;  // the broker keeps the session for so long
};

void put_connect(Bytes& out, const Connect& connect);  // clean start
void put_subscribe(Bytes& out, std::uint16_t id, std::string_view filter, std::uint8_t qos);
void put_publish(Bytes& out, std::string_view topic, ByteView payload, std::uint8_t qos, std::uint16_t id);
void put_puback(Bytes& out, std::uint16_t id);
void put_pingreq(Bytes& out);
void put_disconnect(Bytes& out);

struct Frame {
    Type type = Type::pingresp;
    std::uint8_t flags = 0;
    ByteView body;
    std::size_t size = 0;  // with its header
};

// nullopt inside: not all of it is there yet.
Result<std::optional<Frame>> next_frame(ByteView in);

struct Publish {
    std::string_view topic;
    std::uint8_t qos = 0;
    std::uint16_t id = 0;
    ByteView payload;
};
Result<Publish> parse_publish(const Frame& frame);
// The reason code of CONNACK, SUBACK or DISCONNECT; 0 is success.
Result<std::uint8_t> reason_of(const Frame& frame);
constexpr std::uint8_t kNotAuthorized = 0x87;
constexpr std::uint8_t kAdministrativeAction = 0x98;
// The packet id of PUBACK.
Result<std::uint16_t> id_of(const Frame& frame);

}  // namespace nimes::load::mqtt
