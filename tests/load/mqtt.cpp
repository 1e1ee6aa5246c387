#include "mqtt.hpp"

namespace nimes::load::mqtt {
namespace {

constexpr std::size_t kMaxBody = 1U << 20;
constexpr std::uint8_t kPropertySessionExpiry = 17;

void put_u8(Bytes& out, std::uint8_t v) { out.push_back(v); }
void put_u16(Bytes& out, std::size_t v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
}
void put_bytes(Bytes& out, ByteView v) { out.insert(out.end(), v.begin(), v.end()); }
void put_text(Bytes& out, std::string_view v) {
    put_u16(out, v.size());
    put_bytes(out, as_bytes(v));
}

void put_header(Bytes& out, Type type, std::uint8_t flags, std::size_t length) {
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
    do {
        const auto low = static_cast<std::uint8_t>(length & 0x7F);
        length >>= 7;
        put_u8(out, static_cast<std::uint8_t>(low | (length > 0 ? 0x80 : 0)));
    } while (length > 0);
}

// A variable byte integer of at most four bytes; nullopt: more bytes are needed. Moves `at` on.
Result<std::optional<std::size_t>> variable_integer(ByteView in, std::size_t& at) {
    std::size_t out = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (at >= in.size()) return std::optional<std::size_t>{};
        const auto byte = in[at++];
        out |= static_cast<std::size_t>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) return std::optional(out);
    }
    return fail(Errc::malformed, "a length of more than four bytes");
}

}  // namespace

void put_connect(Bytes& out, const Connect& c) {
    const std::size_t credentials =
        (c.user.empty() ? 0 : 2 + c.user.size()) + (c.password.empty() ? 0 : 2 + c.password.size());
    put_header(out, Type::connect, 0, 6 + 1 + 1 + 2 + 6 + 2 + c.client.size() + credentials);
    put_text(out, "MQTT");
    put_u8(out, 5);
    put_u8(out, static_cast<std::uint8_t>((c.user.empty() ? 0 : 0x80) | (c.password.empty() ? 0 : 0x40) | 0x02));
    put_u16(out, c.keepalive_s);
    put_u8(out, 5);
    put_u8(out, kPropertySessionExpiry);
    put_u16(out, c.session_expiry_s >> 16);
    put_u16(out, c.session_expiry_s & 0xFFFF);
    put_text(out, c.client);
    if (!c.user.empty()) put_text(out, c.user);
    if (!c.password.empty()) put_text(out, c.password);
}

void put_subscribe(Bytes& out, std::uint16_t id, std::string_view filter, std::uint8_t qos) {
    put_header(out, Type::subscribe, 2, 2 + 1 + 2 + filter.size() + 1);
    put_u16(out, id);
    put_u8(out, 0);
    put_text(out, filter);
    put_u8(out, qos);
}

void put_publish(Bytes& out, std::string_view topic, ByteView payload, std::uint8_t qos, std::uint16_t id) {
    put_header(out, Type::publish, static_cast<std::uint8_t>(qos << 1),
               2 + topic.size() + (qos > 0 ? 2 : 0) + 1 + payload.size());
    put_text(out, topic);
    if (qos > 0) put_u16(out, id);
    put_u8(out, 0);
    put_bytes(out, payload);
}

void put_puback(Bytes& out, std::uint16_t id) {
    put_header(out, Type::puback, 0, 2);
    put_u16(out, id);
}
void put_pingreq(Bytes& out) { put_header(out, Type::pingreq, 0, 0); }
void put_disconnect(Bytes& out) { put_header(out, Type::disconnect, 0, 0); }

Result<std::optional<Frame>> next_frame(ByteView in) {
    if (in.empty()) return std::optional<Frame>{};
    std::size_t at = 1;
    auto length = variable_integer(in, at);
    if (!length) return pass(length);
    if (!*length) return std::optional<Frame>{};
    if (**length > kMaxBody) return fail(Errc::too_large, "an MQTT packet");
    if (in.size() - at < **length) return std::optional<Frame>{};
    Frame out;
    out.type = static_cast<Type>(in[0] >> 4);
    out.flags = in[0] & 0x0F;
    out.body = in.subspan(at, **length);
    out.size = at + **length;
    return std::optional(out);
}

Result<Publish> parse_publish(const Frame& frame) {
    Publish out;
    out.qos = (frame.flags >> 1) & 3;
    Reader in(frame.body);
    out.topic = as_text(in.take(in.u16()));
    if (out.qos > 0) out.id = in.u16();
    const auto rest = in.take(in.left());
    std::size_t at = 0;
    auto properties = variable_integer(rest, at);
    if (!properties) return pass(properties);
    if (in.failed() || !*properties || rest.size() - at < **properties) return fail(Errc::malformed, "PUBLISH");
    out.payload = rest.subspan(at + **properties);
    return out;
}

Result<std::uint8_t> reason_of(const Frame& frame) {
    switch (frame.type) {
        case Type::connack:
            if (frame.body.size() < 2) return fail(Errc::malformed, "CONNACK");
            return frame.body[1];
        case Type::suback:
            if (frame.body.size() < 4) return fail(Errc::malformed, "SUBACK");
            return frame.body.back() <= 2 ? std::uint8_t{0} : frame.body.back();
        case Type::disconnect:
            return frame.body.empty() ? std::uint8_t{0} : frame.body[0];
        default:
            return fail(Errc::malformed, "a packet without a reason");
    }
}

Result<std::uint16_t> id_of(const Frame& frame) {
    if (frame.body.size() < 2) return fail(Errc::malformed, "a packet id");
    return Reader(frame.body).u16();
}

}  // namespace nimes::load::mqtt
