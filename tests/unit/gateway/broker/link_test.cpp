// The link where no broker answers. What it does with one: tests/integration/broker.
#include "broker/link.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

namespace nimes::gateway::broker {
namespace {

struct CountingHandler final : Handler {
    std::atomic<int> calls = 0;
    void linked() override { ++calls; }
    void unlinked() override { ++calls; }
    void batch(Bytes) override { ++calls; }
    void packet(const DeviceId&, Bytes) override { ++calls; }
    void presence(const Presence&) override { ++calls; }
    void edge_state(const EdgeState&) override { ++calls; }
    void figure(std::string_view, double) override { ++calls; }
};

// Counts what the link draws: a nonce for each attempt's token, eight bytes for each wait.
struct CountingRandom final : RandomSource {
    SystemRandom inner;
    std::atomic<int> tokens = 0;
    void fill(std::span<std::uint8_t> out) override {
        if (out.size() == 16) ++tokens;
        inner.fill(out);
    }
};

// A port that nobody can take: bound or listening, as asked, and nothing ever answers.
struct Port {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    std::string url;
    explicit Port(bool listening) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
        REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        if (listening) REQUIRE(listen(fd, 8) == 0);
        url = "mqtts://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    }
    ~Port() { close(fd); }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
};

struct World {
    SigningKeyPair key = signing_key_from_seed(Bytes(32, 4));
    CountingHandler handler;
    SystemClock clock;
    CountingRandom random;
    LinkOptions options;
    World() {
        options.ca = "/etc/ssl/certs/ca-certificates.crt";
        options.first_wait = 1;
        options.longest_wait = 2;
    }
};

bool soon(const auto& condition) {
    for (int i = 0; i < 3'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

TEST_CASE("an address that is none is refused before anything starts") {
    World w;
    w.options.url =
        GENERATE("", "mqtt://broker:1883", "mqtts://broker", "mqtts://Broker:8883", "mqtts://broker:8883/x");
    Link link(w.options, w.key, w.handler, w.clock, w.random);
    const auto started = link.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code == Errc::bad_config);
}

TEST_CASE("each attempt shows a token of its own, and a failed one tells nobody anything") {
    World w;
    const Port port(false);  // refuses
    w.options.url = port.url;
    Link link(w.options, w.key, w.handler, w.clock, w.random);
    REQUIRE(link.start());
    CHECK(soon([&] { return w.random.tokens >= 3; }));
    CHECK_FALSE(link.linked());
    link.stop();
    CHECK(w.handler.calls == 0);
}

TEST_CASE("without a link nothing is kept: the mailbox sends again") {
    World w;
    const Port port(false);
    w.options.url = port.url;
    Link link(w.options, w.key, w.handler, w.clock, w.random);
    REQUIRE(link.start());
    link.send(DeviceId{}, Bytes(10, 1));
    link.control(Bytes(10, 1));
    CHECK(link.dropped() == 2);
}

TEST_CASE("stopping does not wait for a broker that accepts and then says nothing") {
    World w;
    const Port port(true);
    w.options.url = port.url;
    w.options.connect_timeout = kHour;
    Link link(w.options, w.key, w.handler, w.clock, w.random);
    REQUIRE(link.start());
    REQUIRE(soon([&] { return w.random.tokens >= 1; }));
    link.stop();  // the test's own time limit is what fails
    CHECK(w.handler.calls == 0);
}

}  // namespace
}  // namespace nimes::gateway::broker
