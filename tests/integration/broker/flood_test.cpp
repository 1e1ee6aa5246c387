// A flood at the broker's door: 5,000 connections a second, most of them garbage, among them whole TLS connections with
// tokens that are none, while a good device comes and goes. Loopback alone, from all of 127/8, and bounded to 20 s.
// Not in a plain run of the tests: `tests/integration/run --long`, or this program with "[flood]".
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <deque>
#include <functional>
#include <iostream>
#include <ranges>
#include <thread>

#include "edge.hpp"

namespace nimes::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSeconds = std::chrono::seconds(20);
constexpr std::uint64_t kPerSecond = 5'000;
constexpr int kLiars = 2;  // threads that go through TLS
constexpr auto kWithin = std::chrono::seconds(5);

struct Counts {
    std::atomic<std::uint64_t> offered = 0, answered = 0, refused = 0;
    std::atomic<bool> over = false;
};

// One connection that is begun and soon reset; its address is one of 127/8, so that ports do not run out.
class Garbage {
  public:
    Garbage(std::uint16_t port, std::uint32_t number) : number_(number) {
        const int on = 1;
        const linger at_once{1, 0};
        setsockopt(fd_, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        auto from = address(0x7F010101U + number % 60'000);
        (void)bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from);
        auto to = address(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        (void)connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    ~Garbage() {
        if (fd_ >= 0) close(fd_);
    }
    Garbage(const Garbage&) = delete;
    Garbage& operator=(const Garbage&) = delete;

    // True when it stood: a third says nothing, a third says no TLS, a third begins TLS and stops.
    bool speak() const {
        constexpr std::string_view kWords[] = {"", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01"};
        const auto word = kWords[number_ % 3];
        const auto n = send(fd_, word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return n >= 0;
    }

  private:
    static sockaddr_in address(std::uint32_t ip) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_addr.s_addr = htonl(ip);
        return out;
    }
    const std::uint32_t number_;
    const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
};

void flood(std::uint16_t port, Counts& counts) {
    constexpr std::uint64_t kSlice = kPerSecond / 100;  // of 10 ms
    std::deque<std::unique_ptr<Garbage>> open;
    std::uint32_t number = 0;
    for (auto next = Clock::now(); !counts.over; next += std::chrono::milliseconds(10)) {
        std::this_thread::sleep_until(next);
        for (std::uint64_t i = 0; i < kSlice; ++i) open.push_back(std::make_unique<Garbage>(port, number++));
        counts.offered += kSlice;
        for (const auto& one : open | std::views::drop(open.size() > kSlice ? open.size() - kSlice : 0))
            counts.answered += one->speak() ? 1 : 0;
        while (open.size() > 20 * kSlice) open.pop_front();  // each is there for a fifth of a second
    }
}

constexpr auto kLoopSize = 400;

// What the broker spends on one client that it refuses, TLS included, in microseconds.
std::int64_t cost_of(const World& w, const Device& claimed, const std::function<std::string(std::string)>& spoil) {
    const auto before = w.broker.cpu();
    for (int i = 0; i < kLoopSize; ++i) {
        auto hello = claimed.hello(w.broker.url());
        hello.password = spoil(*hello.password);
        REQUIRE(w.client()->connect(hello) == MqttClient::kNotAuthorised);
    }
    return std::chrono::microseconds(w.broker.cpu() - before).count() / kLoopSize;
}

std::string wrongly_signed(std::string token) {
    token.at(150) = token.at(150) == 'A' ? 'B' : 'A';
    return token;
}

// Tokens that cost the plugin as much as they can: well made, of a device that may enter, and wrongly signed.
void lie(const Broker& broker, const Device& victim, Counts& counts) {
    while (!counts.over) {
        auto hello = victim.hello(broker.url());
        hello.password = wrongly_signed(*hello.password);
        try {
            MqttClient client(broker.port(), broker.ca());
            if (client.connect(hello) == MqttClient::kNotAuthorised) ++counts.refused;
        } catch (const std::runtime_error&) {  // no TLS any more: one more that was not served
        }
    }
}

std::string figures(std::vector<Clock::duration>& times) {
    std::sort(times.begin(), times.end());
    const auto ms = [](Clock::duration d) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
    };
    return std::to_string(times.size()) + " connections, p50 " + ms(times[times.size() / 2]) + ", p90 " +
           ms(times[times.size() * 9 / 10]) + ", slowest " + ms(times.back());
}

std::vector<Clock::duration> come_and_go(const World& w, Clock::duration span) {
    std::vector<Clock::duration> out;
    for (const auto until = Clock::now() + span; Clock::now() < until;
         std::this_thread::sleep_for(std::chrono::milliseconds(200))) {
        const auto began = Clock::now();
        REQUIRE(w.connected(w.device)->ping());
        out.push_back(Clock::now() - began);
    }
    return out;
}

TEST_CASE("5,000 connections a second are offered, and a good device gets in within five seconds", "[.][flood]") {
    World w;
    const Device victim(12);
    REQUIRE(w.gateway.set(w.device));
    REQUIRE(w.gateway.set(victim));
    auto quiet = come_and_go(w, std::chrono::seconds(3));
    Counts counts;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { flood(w.broker.port(), counts); });
    for (int i = 0; i < kLiars; ++i) threads.emplace_back([&] { lie(w.broker, victim, counts); });
    const auto began = Clock::now();
    auto under = come_and_go(w, kSeconds);
    counts.over = true;
    for (auto& thread : threads) thread.join();
    const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const auto rate = [&](std::uint64_t count) {
        return static_cast<std::uint64_t>(static_cast<double>(count) / seconds);
    };
    std::cout << "offered " << rate(counts.offered) << " TCP connections a second, " << rate(counts.answered)
              << " of them stood at once; wrong signatures refused: " << rate(counts.refused) << " a second\n"
              << "a good device, quiet: " << figures(quiet) << "\n"
              << "a good device, under it: " << figures(under) << "\n";
    CHECK(rate(counts.offered) >= kPerSecond * 95 / 100);
    CHECK(counts.refused > 0);
    CHECK(under.back() < kWithin);
    CHECK(w.gateway.link.linked());
    CHECK(w.gateway.heard.unlinked == 0);
    CHECK(w.broker.alive());
}

TEST_CASE("a refused client costs the broker its TLS handshake and little more, also when its signature is checked",
          "[.][flood]") {
    World w;
    REQUIRE(w.gateway.set(w.device));
    std::int64_t cheap = 0, checked = 0;
    for (int round = 0; round < 3; ++round) {
        cheap += cost_of(w, w.device, [](const std::string&) { return std::string("none"); });
        checked += cost_of(w, w.device, wrongly_signed);
    }
    std::cout << "a refused client costs the broker " << cheap / 3 << " us without, " << checked / 3
              << " us with a signature to check\n";
    CHECK(checked < cheap * 3 / 2);
}

}  // namespace
}  // namespace nimes::test
