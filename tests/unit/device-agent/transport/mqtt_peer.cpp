#include "mqtt_peer.hpp"

namespace nimes::test {
namespace {

std::string text(Reader& in) { return std::string(as_text(in.take(in.u16()))); }

std::size_t read_length(Reader& in) {
    std::size_t out = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        const auto byte = in.u8();
        out |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
    }
    return out;
}

Bytes length_of(std::size_t n) {
    Bytes out;
    do {
        out.push_back(static_cast<std::uint8_t>((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
        n >>= 7;
    } while (n > 0);
    return out;
}

}  // namespace

MqttConnectPacket parse_connect(ByteView body) {
    MqttConnectPacket out;
    Reader in(body);
    (void)text(in);
    out.version = in.u8();
    out.flags = in.u8();
    out.keepalive = in.u16();
    Reader properties(in.take(read_length(in)));
    while (properties.left() > 0) {
        switch (properties.u8()) {
            case 17:
                out.session_expiry = properties.u32();
                break;
            case 39:
                out.max_packet = properties.u32();
                break;
            default:
                properties.take(properties.left());
        }
    }
    out.client = text(in);
    if (out.flags & 0x80) out.user = text(in);
    if (out.flags & 0x40) out.password = text(in);
    return out;
}

std::optional<MqttPacket> MqttPeer::packet() {
    ByteArray<1> byte{};
    if (!stream_.exactly(byte)) return std::nullopt;
    MqttPacket out{byte[0] >> 4, {}, static_cast<std::uint8_t>(byte[0] & 0x0f)};
    std::size_t size = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (!stream_.exactly(byte)) return std::nullopt;
        size |= static_cast<std::size_t>(byte[0] & 0x7f) << shift;
        if ((byte[0] & 0x80) == 0) break;
    }
    out.body.resize(size);
    if (!stream_.exactly(out.body)) return std::nullopt;
    return out;
}

std::optional<MqttPacket> MqttPeer::await(int type) {
    for (;;) {
        auto next = packet();
        if (!next || next->type == type) return next;
    }
}

bool MqttPeer::send(std::uint8_t first, ByteView body) {
    return stream_.send(Writer().u8(first).bytes(length_of(body.size())).bytes(body).view());
}

bool MqttPeer::connack(std::uint8_t reason, std::uint16_t keepalive) {
    if (keepalive == 0) return send(0x20, Writer().u8(0).u8(reason).u8(0).view());
    return send(0x20, Writer().u8(0).u8(reason).u8(3).u8(19).u16(keepalive).view());
}

bool MqttPeer::suback(const MqttPacket& subscribe, std::uint8_t reason) {
    return send(0x90, Writer().bytes(ByteView(subscribe.body).first(2)).u8(0).u8(reason).view());
}

bool MqttPeer::publish(std::string_view topic, ByteView payload) {
    return send(0x30, Writer().u16(static_cast<std::uint16_t>(topic.size())).text(topic).u8(0).bytes(payload).view());
}

bool MqttPeer::disconnect(std::uint8_t reason) { return send(0xe0, Writer().u8(reason).u8(0).view()); }

std::optional<MqttConnectPacket> MqttPeer::welcome(std::uint16_t keepalive) {
    const auto connect = await(1);
    if (!connect || !connack(0, keepalive)) return std::nullopt;
    const auto subscribe = await(8);
    if (!subscribe || !suback(*subscribe)) return std::nullopt;
    return parse_connect(connect->body);
}

std::optional<std::uint16_t> MqttPeer::asked() {
    for (;;) {
        const auto publish = await(3);
        if (!publish) return std::nullopt;
        if ((publish->flags & 0x02) == 0) continue;
        Reader in(publish->body);
        (void)text(in);
        return in.u16();
    }
}

bool MqttPeer::puback(std::uint16_t number, std::uint8_t reason) {
    return send(0x40, Writer().u16(number).u8(reason).u8(0).view());
}

std::optional<Bytes> MqttPeer::received() {
    const auto publish = await(3);
    if (!publish) return std::nullopt;
    Reader in(publish->body);
    in.take(in.u16());
    in.take(read_length(in));
    return to_bytes(in.take(in.left()));
}

}  // namespace nimes::test
