// What comes over the home's socket, and from arguments, is no reason to die: the owner answers or hangs up, and lives.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "process.hpp"

using namespace nimes::agent::cli::test;

namespace {

Process watching(const Home& home) {
    Process watch(home, {"watch"});
    until("the first line of watch", [&] { return !watch.json().empty(); });
    return watch;
}

// Sends bytes as a client would, and answers all that came back until the owner hung up.
std::string say(const Home& home, const std::string& bytes) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (home.path() / "agent.sock").c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    for (std::size_t at = 0; at < bytes.size();) {
        const auto n = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
    }
    std::string out;
    char block[4096];
    for (ssize_t n = 0; (n = ::recv(fd, block, sizeof block, 0)) > 0;) out.append(block, static_cast<std::size_t>(n));
    ::close(fd);
    return out;
}

const std::string kId(32, 'a');
const std::string kSecret = "72696368746967";  // the right passphrase, in hex

std::string request(const std::string& verb, const std::string& arguments = "{}", const std::string& id = kId) {
    return R"({"id":")" + id + R"(","passphrase":")" + kSecret + R"(","verb":")" + verb + R"(","arguments":)" +
           arguments + "}\n";
}

}  // namespace

TEST_CASE("a line that is no request is refused, and the owner lives") {
    const Home home;
    auto owner = watching(home);
    const auto line = GENERATE(as<std::string>{}, "no json\n", "[]\n", "{}\n", "5\n", "\n", "{\"passphrase\":5}\n",
                               "{\"passphrase\":null,\"id\":[]}\n", "{\"passphrase\":\"zz\"}\n",
                               "{\"passphrase\":\"72696368746967\"}\n",
                               "{\"passphrase\":\"72696368746967\",\"id\":5,\"verb\":\"status\"}\n");
    const auto answer = say(home, line);
    CHECK(answer.find("\"error\"") != std::string::npos);
    CHECK(owner.alive());
}

TEST_CASE("a request of the wrong form is refused, whatever it asks") {
    const Home home;
    auto owner = watching(home);
    const auto line = GENERATE(as<std::string>{}, request("status", "5"), request("status", "{}", "short"),
                               request("status", "{}", std::string(32, 'Z')), request("send", R"({"text":7})"));
    CHECK(say(home, line).find("\"error\"") != std::string::npos);
    CHECK(owner.alive());
}

TEST_CASE("a well-formed request is answered: the requests above are refused for their faults alone") {
    const Home home;
    auto owner = watching(home);
    CHECK(say(home, request("status")).find("\"result\"") != std::string::npos);
}

TEST_CASE("a line without end is refused at the limit") {
    const Home home;
    auto owner = watching(home);
    CHECK(say(home, std::string((1 << 20) + 100'000, 'x')).find("ERR_TOO_LARGE") != std::string::npos);
    CHECK(owner.alive());
}

TEST_CASE("a text over the limit is refused at once, not tried for ever") {
    const Home home;
    auto owner = watching(home);
    Process send(home, {"send", "--to", "Meyer", "-"}, {"richtig", std::string(2 << 20, 'x'), true});
    CHECK(send.wait() == 6);
    CHECK(send.err().find("too large") != std::string::npos);
    CHECK(owner.alive());
}

TEST_CASE("words that are no UTF-8 are refused, by an owner and by a client") {
    const Home home;
    const bool beside = GENERATE(false, true);
    std::vector<Process> owner;
    if (beside) owner.push_back(watching(home));
    Process send(home, {"send", "--to", "Meyer", "\xff\xfe"});
    CHECK(send.wait() == 2);
    CHECK(send.err().find("UTF-8") != std::string::npos);
    CHECK(home.lines("sent").empty());
}

TEST_CASE("a passphrase that is no UTF-8 reaches the owner as it is") {
    const Home home;
    auto owner = watching(home);
    Process status(home, {"status"}, {"\xe4\xf6\xfc", "", true});
    CHECK(status.wait() == 8);
    CHECK(owner.alive());
}

TEST_CASE("a service that throws for one client serves the next") {
    const Home home;
    auto owner = watching(home);
    Process send(home, {"send", "--to", "Meyer", "throw"});
    CHECK(send.wait() == 1);
    CHECK(owner.alive());
    Process next(home, {"send", "--to", "Meyer", "well"});
    CHECK(next.wait() == 0);
}

TEST_CASE("a service that throws for the owner's own command is an error, not a crash") {
    const Home home;
    Process send(home, {"send", "--to", "Meyer", "throw"});
    CHECK(send.wait() == 1);
    CHECK(send.err().find("nimes-agent: error: ") == 0);
}

TEST_CASE("a request repeated with its id is answered from memory, not done again") {
    const Home home;
    auto owner = watching(home);
    const auto create = request("group.create", R"({"title":"Streife"})");
    const auto first = say(home, create);
    CHECK(first.find("\"result\"") != std::string::npos);
    CHECK(say(home, create) == first);
    CHECK(home.lines("groups").size() == 1);
    say(home, request("group.create", R"({"title":"Streife"})", std::string(32, 'b')));
    CHECK(home.lines("groups").size() == 2);
}

TEST_CASE("an id says nothing to who lacks the passphrase") {
    const Home home;
    auto owner = watching(home);
    say(home, request("group.create", R"({"title":"Streife"})"));
    const auto answer = say(home, R"({"id":")" + kId + R"(","passphrase":"00","verb":"group.create"})" + "\n");
    CHECK(answer.find("ERR_PASSPHRASE_WRONG") != std::string::npos);
    CHECK(answer.find("Streife") == std::string::npos);
}

TEST_CASE("clients that say nothing do not keep an owner from ending") {
    const Home home;
    auto owner = watching(home);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (home.path() / "agent.sock").c_str(), sizeof address.sun_path - 1);
    const int silent = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(silent, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    Process status(home, {"status"});
    CHECK(status.wait() == 0);  // by now the silent one was accepted, too
    owner.signal(SIGINT);
    owner.wait();
    ::close(silent);
}
