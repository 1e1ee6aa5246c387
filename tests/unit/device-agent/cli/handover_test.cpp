// An owner ends while others depend on it: who watches goes on elsewhere and sees nothing twice.
#include <signal.h>

#include <catch2/catch.hpp>

#include "process.hpp"

using namespace nimes::agent::cli::test;

namespace {

Process started(const Home& home, const std::vector<std::string>& words) {
    Process out(home, words);
    until("a first line", [&] { return !out.json().empty(); });
    return out;
}

void send(const Home& home, const std::string& text) {
    Process process(home, {"send", "--to", "Meyer", text});
    const int status = process.wait();
    INFO(process.err());
    CHECK(status == 0);
}

std::vector<std::string> texts(const Process& watch) {
    std::vector<std::string> out;
    for (const auto& line : watch.json()) out.push_back(line.value("text", ""));
    return out;
}

}  // namespace

TEST_CASE("a watch whose owner was killed goes on as owner, and repeats no event and no alarm") {
    const Home home;
    auto first = started(home, {"watch"});
    const auto second = started(home, {"watch"});
    send(home, "one");
    until("the first event", [&] { return texts(second).size() == 2; });
    first.signal(SIGKILL);
    first.wait();
    send(home, "two");
    until("the second event", [&] { return texts(second).back() == "two"; });
    CHECK(texts(second) == std::vector<std::string>{"one alarm", "one", "two"});
}

TEST_CASE("Ctrl-C ends an owner though another process watches through it; that one goes on") {
    const Home home;
    auto first = started(home, {"watch"});
    auto second = started(home, {"watch"});
    first.signal(SIGINT);
    first.wait();
    CHECK(second.alive());
    send(home, "after");
    until("the event", [&] { return texts(second).back() == "after"; });
    second.signal(SIGINT);
    second.wait();
    CHECK(texts(second) == std::vector<std::string>{"one alarm", "after"});
}

TEST_CASE("an owner whose command is done does not stay for one that watches") {
    const Home home;
    home.write("hold");
    Process owner(home, {"send", "--to", "Meyer", "held"});
    until("the socket", [&] { return std::filesystem::exists(home.path() / "agent.sock"); });
    auto watch = started(home, {"watch"});
    std::filesystem::remove(home.path() / "hold");
    CHECK(owner.wait() == 0);
    CHECK(watch.alive());
    until("the event", [&] { return texts(watch).back() == "held"; });
    CHECK(texts(watch) == std::vector<std::string>{"one alarm", "held"});
}

TEST_CASE("an owner whose command is done answers a client's send before it ends") {
    const Home home;
    home.write("hold");
    auto owner = started(home, {"watch"});
    Process client(home, {"send", "--to", "Meyer", "held"});
    until("the client is served", [&] { return std::filesystem::exists(home.path() / "begun"); });
    owner.signal(SIGINT);
    std::filesystem::remove(home.path() / "hold");
    CHECK(client.wait() == 0);
    owner.wait();
    CHECK(home.lines("sent").size() == 1);
}
