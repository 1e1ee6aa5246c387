// Who has no business here, at the door of the real broker: each trick is a case, and behind each stands the control
// that a good device is served as before.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "edge.hpp"

namespace nimes::test {
namespace {

constexpr int kNo = MqttClient::kNotAuthorised;
constexpr int kNoIn311 = 5;  // MQTT 3.1.1: not authorised
constexpr int kBadMethod = 0x8C;
constexpr int kConnect = 1, kPublish = 3, kPuback = 4, kPubrel = 6, kSubscribe = 8, kUnsubscribe = 10, kPingreq = 12,
              kDisconnect = 14, kAuth = 15;

void text(Writer& out, std::string_view value) { out.u16(static_cast<std::uint16_t>(value.size())).text(value); }

// TCP and nothing above it.
class Caller {
  public:
    explicit Caller(std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons(port);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
            throw std::runtime_error("the broker does not listen");
    }
    ~Caller() { close(fd_); }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    void send(ByteView bytes) const { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    [[nodiscard]] bool closed() const {
        ByteArray<512> bytes{};
        for (pollfd one{fd_, POLLIN, 0}; poll(&one, 1, 0) > 0;)
            if (recv(fd_, bytes.data(), bytes.size(), 0) <= 0) return true;
        return false;
    }

  private:
    const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// A device that is admitted, and another one that was there before the attack and must stay.
struct Door : World {
    Device other{12};
    std::unique_ptr<MqttClient> bystander;

    Door() {
        REQUIRE(gateway.set(device));
        REQUIRE(gateway.set(other));
        bystander = connected(other);
    }
    [[nodiscard]] int answer(const MqttConnect& hello) const { return client()->connect(hello); }
    [[nodiscard]] MqttConnect good() const { return device.hello(broker.url()); }
    // Nothing of the attack came through, and both devices are served.
    void nothing_happened() {
        REQUIRE(bystander->ping());
        auto mine = connected(device);
        CHECK(mine->publish(topic::up(device.id), Bytes(3, 2)) == 0);
        REQUIRE(gateway.until([&] { return !gateway.heard.packets.empty(); }));
        CHECK(gateway.heard.packets.size() == 1);
        CHECK(gateway.heard.packets[0] == std::pair(device.id, Bytes(3, 2)));
    }
};

TEST_CASE("an empty client id is nobody's, however good the token") {
    Door w;
    auto hello = w.good();
    hello.client_id.clear();
    CHECK(w.answer(hello) == kNo);  // the broker makes one up, and it is not the token's
    hello = w.good();
    hello.client_id.clear();
    hello.clean_start = false;
    CHECK(w.answer(hello) != 0);
    hello = w.good();
    hello.client_id = hello.client_id + std::string(1, '\0') + "x";
    CHECK(w.answer(hello) == MqttClient::kClosed);
    w.nothing_happened();
}

TEST_CASE("connections that end before they have a client id leave nothing behind") {
    Door w;
    for (int i = 0; i < 20; ++i) {
        Caller(w.broker.port());                           // TCP alone
        Caller(w.broker.port()).send(Bytes(1 + i, 0x16));  // a piece of TLS
        (void)w.client();                                  // TLS alone
        const Bytes half{0x10, 0x7F, 0x00, 0x04, 'M', 'Q'};
        w.client()->send(half);
    }
    w.nothing_happened();
}

TEST_CASE("a first packet that is not CONNECT ends the connection, and nothing of it counts") {
    Door w;
    Writer publish;
    text(publish, topic::up(w.device.id));
    publish.u8(0).bytes(Bytes(3, 1));
    Writer subscribe;
    text(subscribe.u16(1).u8(0), topic::down(w.device.id));
    subscribe.u8(0);
    Writer unsubscribe;
    text(unsubscribe.u16(1).u8(0), topic::down(w.other.id));
    const Bytes id{0, 1};
    const std::pair<int, Bytes> firsts[] = {
        {0x00, {}},
        {kPublish << 4, to_bytes(publish.view())},
        {kPuback << 4, id},
        {5 << 4, id},
        {kPubrel << 4 | 2, id},
        {7 << 4, id},
        {kSubscribe << 4 | 2, to_bytes(subscribe.view())},
        {9 << 4, id},
        {kUnsubscribe << 4 | 2, to_bytes(unsubscribe.view())},
        {kPingreq << 4, {}},
        {kDisconnect << 4, {}},
        {kAuth << 4, {0, 0}},
    };
    for (const auto& [first, body] : firsts) {
        INFO(first);
        auto client = w.client();
        client->send(first, body);
        client->ended();
        CHECK_FALSE(client->ping());
    }
    w.nothing_happened();
}

TEST_CASE("MQTT 3.1, 3.1.1 and versions that do not exist are refused with a good token") {
    Door w;
    auto hello = w.good();
    hello.protocol = "MQIsdp";
    hello.version = 3;
    CHECK(w.answer(hello) == kNoIn311);
    hello = w.good();
    hello.version = 4;
    CHECK(w.answer(hello) == kNoIn311);
    soon([&] { return w.broker.refusals()["protocol"] == 2; });
    CHECK(w.broker.refusals()["protocol"] == 2);
    for (const std::uint8_t version : {std::uint8_t{0}, std::uint8_t{6}, std::uint8_t{255}}) {
        hello = w.good();
        hello.version = version;
        CHECK(w.answer(hello) != 0);
    }
    hello = w.good();
    hello.protocol = "MQTX";
    CHECK(w.answer(hello) != 0);
    w.nothing_happened();
}

TEST_CASE("an AUTH packet leads past no token") {
    Door w;
    auto hello = w.good();
    hello.auth_method = "SCRAM-SHA-256";
    CHECK(w.answer(hello) == kBadMethod);  // with a good token, too: nobody here knows the method
    hello.password.reset();
    hello.auth_method = "";
    CHECK(w.answer(hello) != 0);
    auto client = w.connected(w.device);
    Writer again;
    text(again.u8(0x19).u8(5).u8(21), "x");  // re-authenticate
    client->send(kAuth << 4, again.view());
    client->ended();
    CHECK_FALSE(client->ping());
    w.nothing_happened();
}

TEST_CASE("a second CONNECT on a connection makes nobody somebody else") {
    Door w;
    auto client = w.connected(w.device);
    CHECK(client->connect(w.other.hello(w.broker.url())) == MqttClient::kClosed);
    client->ended();
    w.nothing_happened();
}

TEST_CASE("nobody takes over another's client id, and a shown token throws nobody out") {
    Door w;
    const Device thief(13);
    REQUIRE(w.gateway.set(thief));
    const auto url = w.broker.url();
    auto hello = thief.hello(url);
    hello.client_id = to_text(w.other.id);
    CHECK(w.answer(hello) == kNo);  // a good token of one's own
    hello.username = to_text(w.other.id);
    CHECK(w.answer(hello) == kNo);  // the same, and the victim's name
    hello.password = w.device.token(url);
    CHECK(w.answer(hello) == kNo);  // a third device's token
    hello = w.other.hello(url);
    hello.client_id += "-1";  // as the gateway has several
    CHECK(w.answer(hello) == kNo);
    hello = w.other.hello(url);
    hello.client_id[0] = static_cast<char>(std::toupper(hello.client_id[0]));
    hello.username = hello.client_id;
    CHECK(w.answer(hello) == (hello.client_id == to_text(w.other.id) ? 0 : kNo));

    const auto mine = w.good();
    auto client = w.client();
    REQUIRE(client->connect(mine) == 0);
    CHECK(w.answer(mine) == kNo);  // replayed while its owner is there
    CHECK(client->ping());
    client->drop();
    CHECK(w.answer(mine) == kNo);  // and when he has gone
    w.nothing_happened();
}

TEST_CASE("a token that was shown before a restart of the broker is shown in vain after it") {
    Door w;
    w.broker.stop();
    w.broker.own_clock(Broker::Clocks::wall);
    w.broker.start();
    const auto shown = w.good();
    REQUIRE(w.answer(shown) == 0);
    w.broker.stop();
    w.broker.ahead(std::chrono::seconds(60));  // well within the token's two minutes
    w.broker.start();
    CHECK(w.answer(shown) == kNo);
    auto fresh = w.good();
    fresh.password = w.device.token(w.broker.url(), w.gateway.clock.now() + kMinute);
    CHECK(w.answer(fresh) == 0);
}

TEST_CASE("a packet that announces more than anybody may send ends the connection before it is read") {
    Door w;
    const Bytes announced[] = {
        {0x10, 0xFF, 0xFF, 0xFF, 0x7F},        // CONNECT of 256 MB
        {0x30, 0xFF, 0xFF, 0xFF, 0x7F},        // PUBLISH of 256 MB
        {0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F},  // a length of five bytes, which there is not
    };
    for (const auto& bytes : announced) {
        auto stranger = w.client();
        stranger->send(bytes);
        stranger->ended();
        auto client = w.connected(w.device);
        client->send(bytes);
        client->ended();
        CHECK_FALSE(client->ping());
    }
    w.nothing_happened();
}

TEST_CASE(
    "who connects and says nothing is closed by the broker after a minute and a half, and harms nobody meanwhile") {
    Door w;
    w.broker.stop();
    REQUIRE(soon([&] { return !w.gateway.link.linked(); }));
    w.broker.own_clock(Broker::Clocks::all);
    w.broker.start();
    REQUIRE(soon([&] { return w.gateway.link.linked(); }));
    std::vector<std::unique_ptr<Caller>> silent;
    for (int i = 0; i < 200; ++i) silent.push_back(std::make_unique<Caller>(w.broker.port()));
    for (int i = 0; i < 100; ++i) silent[static_cast<std::size_t>(i)]->send(Bytes{0x16, 0x03, 0x01});  // TLS, begun
    const auto all_closed = [&] {
        return std::all_of(silent.begin(), silent.end(), [](const auto& one) { return one->closed(); });
    };
    CHECK(w.connected(w.device)->ping());
    w.broker.ahead(std::chrono::seconds(80));
    CHECK(w.answer(w.good()) != MqttClient::kClosed);  // its passes of the loop have seen the new time
    CHECK(std::none_of(silent.begin(), silent.end(), [](const auto& one) { return one->closed(); }));
    w.broker.ahead(std::chrono::seconds(100));
    CHECK(soon(all_closed));
    auto late = w.good();
    late.password = w.device.token(w.broker.url(), w.gateway.clock.now() + 100 * kSecond);
    CHECK(soon([&] { return w.answer(late) == 0; }));
}

}  // namespace
}  // namespace nimes::test
