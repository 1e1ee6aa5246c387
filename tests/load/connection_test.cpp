// The load client's connection, against a listener in the same thread.
#include "connection.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::load;

namespace {

constexpr Micros kPatience = 10'000'000;

struct Listener {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Endpoint at{"127.0.0.1", 0, {}};

    Listener() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(fd, 8) == 0);
        REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        at.port = ntohs(address.sin_port);
    }
    ~Listener() { ::close(fd); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // What the next connection has to say within a second; it is closed then.
    [[nodiscard]] std::string hear() const {
        const int peer = ::accept(fd, nullptr, nullptr);
        pollfd readable{peer, POLLIN, 0};
        std::string out(64, '\0');
        const auto got = ::poll(&readable, 1, 1'000) == 1 ? ::recv(peer, out.data(), out.size(), 0) : 0;
        ::close(peer);
        out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return out;
    }
};

struct Seen final : Connection::Events {
    int opened = 0;
    void on_open() override { ++opened; }
    void on_frame(const mqtt::Frame&) override {}
    void on_closed(const std::string&) override {}
};

}  // namespace

TEST_CASE("a connection that was dropped with something to send sends again when it is opened anew") {
    const Listener listener;
    Loop loop;
    Seen seen;
    Traffic traffic;
    Connection connection(loop, nullptr, seen, traffic);
    const auto open = [&] {
        const int before = seen.opened;
        REQUIRE(connection.open(listener.at));
        REQUIRE(loop.run([&] { return seen.opened > before; }, micros_now() + kPatience));
    };
    const auto say = [&](std::string_view words) {
        const auto bytes = as_bytes(words);
        connection.out().insert(connection.out().end(), bytes.begin(), bytes.end());
        connection.flush_later();
    };
    open();
    say("lost");
    connection.drop();
    CHECK(listener.hear().empty());
    open();
    say("heard");
    REQUIRE(loop.run([&] { return connection.unsent() == 0; }, micros_now() + kPatience));
    CHECK(listener.hear() == "heard");
}
