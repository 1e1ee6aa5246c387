#include "harness/mqtt_client.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace nimes::test {
namespace {

constexpr int kConnect = 1, kConnack = 2, kPublish = 3, kPuback = 4, kSubscribe = 8, kSuback = 9, kPingreq = 12,
              kPingresp = 13, kDisconnect = 14;
constexpr std::uint8_t kSessionExpiry = 17, kAuthMethod = 21;
constexpr std::size_t kMaxBody = 1U << 20;

void text(Writer& out, std::string_view value) { out.u16(static_cast<std::uint16_t>(value.size())).text(value); }

void length(Writer& out, std::size_t n) {
    do {
        const auto low = static_cast<std::uint8_t>(n & 0x7F);
        n >>= 7;
        out.u8(n > 0 ? low | 0x80 : low);
    } while (n > 0);
}

std::size_t read_length(Reader& in) {
    std::size_t out = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        const auto byte = in.u8();
        out |= static_cast<std::size_t>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) break;
    }
    return out;
}

}  // namespace

struct MqttClient::Tls {
    int fd = -1;
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = nullptr;

    Tls() = default;
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;
    ~Tls() {
        SSL_free(ssl);
        SSL_CTX_free(context);
        if (fd >= 0) close(fd);
    }
};

MqttClient::MqttClient(std::uint16_t port, const std::filesystem::path& ca) : tls_(std::make_unique<Tls>()) {
    tls_->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{30, 0};
    setsockopt(tls_->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    if (::connect(tls_->fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
        throw std::runtime_error("the broker does not listen");
    SSL_CTX_load_verify_locations(tls_->context, ca.c_str(), nullptr);
    SSL_CTX_set_verify(tls_->context, SSL_VERIFY_PEER, nullptr);
    tls_->ssl = SSL_new(tls_->context);
    SSL_set_fd(tls_->ssl, tls_->fd);
    if (SSL_connect(tls_->ssl) != 1) throw std::runtime_error("no TLS with the broker");
}

MqttClient::~MqttClient() = default;

void MqttClient::drop() {
    if (!tls_) return;
    shutdown(tls_->fd, SHUT_RDWR);
    tls_.reset();
}

void MqttClient::send(int first, ByteView body) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(first));
    length(out, body.size());
    out.bytes(body);
    send(out.view());
}

// What cannot be sent any more shows in the answer that does not come.
void MqttClient::send(ByteView bytes) {
    if (tls_) SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size()));
}

std::optional<Bytes> MqttClient::reply(int type) {
    auto answer = await(type);
    return answer ? std::optional(std::move(answer->body)) : std::nullopt;
}

bool MqttClient::take(std::span<std::uint8_t> into) {
    while (!into.empty()) {
        if (!tls_) return false;
        errno = 0;
        const int n = SSL_read(tls_->ssl, into.data(), static_cast<int>(into.size()));
        if (n <= 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) throw std::runtime_error("the broker says nothing");
            tls_.reset();
            return false;
        }
        into = into.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

std::optional<MqttClient::Packet> MqttClient::packet() {
    ByteArray<1> byte{};
    if (!take(byte)) return std::nullopt;
    Packet out;
    const int flags = byte[0] & 0x0F;
    out.type = byte[0] >> 4;
    std::size_t size = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (!take(byte)) return std::nullopt;
        size |= static_cast<std::size_t>(byte[0] & 0x7F) << shift;
        if ((byte[0] & 0x80) == 0) break;
    }
    if (size > kMaxBody) throw std::runtime_error("the broker sends nonsense");
    out.body.resize(size);
    if (!take(out.body)) return std::nullopt;
    if (out.type == kPublish && (flags & 0x06) != 0) throw std::runtime_error("only QoS 0 is read here");
    if (out.type == kDisconnect) ended_ = out.body.empty() ? 0 : out.body[0];
    return out;
}

void MqttClient::keep(const Packet& publish) {
    Reader in(publish.body);
    MqttMessage out;
    out.topic = as_text(in.take(in.u16()));
    in.take(read_length(in));
    out.payload = to_bytes(in.take(in.left()));
    messages_.push_back(std::move(out));
}

std::optional<MqttClient::Packet> MqttClient::await(int type) {
    for (;;) {
        auto next = packet();
        if (!next || next->type == type) return next;
        if (next->type == kPublish) keep(*next);
    }
}

int MqttClient::connect(const MqttConnect& as) {
    Writer body;
    text(body, as.protocol);
    body.u8(as.version);
    body.u8(static_cast<std::uint8_t>((as.username ? 0x80 : 0) | (as.password ? 0x40 : 0) | (as.will ? 0x04 : 0) |
                                      (as.clean_start ? 0x02 : 0)));
    body.u16(as.keepalive);
    const bool v5 = as.version == 5;
    if (v5) {
        Writer properties;
        properties.u8(kSessionExpiry).u32(as.session_expiry);
        if (as.auth_method) text(properties.u8(kAuthMethod), *as.auth_method);
        length(body, properties.size());
        body.bytes(properties.view());
    }
    text(body, as.client_id);
    if (as.will) {
        if (v5) body.u8(0);
        text(body, as.will->topic);
        text(body, as_text(as.will->payload));
    }
    if (as.username) text(body, *as.username);
    if (as.password) text(body, *as.password);
    send(kConnect << 4, body.view());
    const auto answer = await(kConnack);
    return answer && answer->body.size() >= 2 ? answer->body[1] : kClosed;
}

int MqttClient::subscribe(const std::string& filter, int qos) {
    Writer body;
    body.u16(next_id_++).u8(0);
    text(body, filter);
    body.u8(static_cast<std::uint8_t>(qos));
    send(kSubscribe << 4 | 2, body.view());
    const auto answer = await(kSuback);
    return answer && !answer->body.empty() ? answer->body.back() : kClosed;
}

int MqttClient::publish(const std::string& topic, ByteView payload, int qos, bool retain) {
    Writer body;
    text(body, topic);
    if (qos > 0) body.u16(next_id_++);
    body.u8(0).bytes(payload);
    send(kPublish << 4 | qos << 1 | (retain ? 1 : 0), body.view());
    if (qos == 0) return 0;
    const auto answer = await(kPuback);
    if (!answer || answer->body.size() < 2) return kClosed;
    return answer->body.size() > 2 ? answer->body[2] : 0;  // a short one says success
}

std::optional<MqttMessage> MqttClient::message() {
    while (messages_.empty()) {
        const auto next = packet();
        if (!next) return std::nullopt;
        if (next->type == kPublish) keep(*next);
    }
    auto out = std::move(messages_.front());
    messages_.pop_front();
    return out;
}

int MqttClient::ended() {
    while (packet()) {
    }
    return ended_;
}

bool MqttClient::ping() {
    send(kPingreq << 4, {});
    return await(kPingresp).has_value();
}

}  // namespace nimes::test
