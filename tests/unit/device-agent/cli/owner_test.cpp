// Many processes, one home: whoever owns it answers the others, and nothing is lost or done twice when it ends.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <set>

#include "process.hpp"

using namespace nimes::agent::cli::test;

namespace {

constexpr int kMany = 20;

std::vector<Process> send_many(const Home& home, const std::string& prefix) {
    std::vector<Process> all;
    for (int i = 0; i < kMany; ++i)
        all.emplace_back(home, std::vector<std::string>{"send", "--to", "Meyer", prefix + std::to_string(i)});
    return all;
}

// Every one succeeded, and each message is there once.
void all_sent_once(const Home& home, std::vector<Process>& all) {
    for (auto& process : all) {
        const int status = process.wait();
        INFO(process.err());
        CHECK(status == 0);
    }
    const auto sent = home.lines("sent");
    CHECK(sent.size() == all.size());
    CHECK(std::set(sent.begin(), sent.end()).size() == all.size());
}

Process watching(const Home& home) {
    Process watch(home, {"watch"});
    until("the first line of watch", [&] { return !watch.json().empty(); });
    return watch;
}

std::size_t texts(const Process& watch) {
    std::size_t count = 0;
    for (const auto& line : watch.json()) count += line.contains("sequence") ? 1 : 0;
    return count;
}

}  // namespace

TEST_CASE("twenty sends at once, without an owner before") {
    const Home home;
    auto all = send_many(home, "slow ");
    all_sent_once(home, all);
}

TEST_CASE("twenty sends beside a watch, which shows each of them once") {
    const Home home;
    auto watch = watching(home);
    auto all = send_many(home, "text ");
    all_sent_once(home, all);
    until("twenty events", [&] { return texts(watch) >= kMany; });
    watch.signal(SIGTERM);
    watch.wait();
    CHECK(texts(watch) == kMany);
}

TEST_CASE("the owner is killed while twenty wait: each message goes out once") {
    const Home home;
    home.write("hold");
    auto watch = watching(home);
    auto all = send_many(home, "held ");
    watch.signal(SIGKILL);
    CHECK(watch.wait() == 128 + SIGKILL);
    std::filesystem::remove(home.path() / "hold");
    all_sent_once(home, all);
}

TEST_CASE("an owner that dies after it wrote a message: its repeat makes no second one") {
    const Home home;
    auto watch = watching(home);
    Process send(home, {"send", "--to", "Meyer", "die"});
    CHECK(watch.wait() == 9);
    CHECK(send.wait() == 0);
    CHECK(home.lines("sent").size() == 1);
}

TEST_CASE("the socket is for its user alone") {
    const Home home;
    const auto watch = watching(home);
    struct stat is {};
    REQUIRE(::stat((home.path() / "agent.sock").c_str(), &is) == 0);
    CHECK((is.st_mode & 0777) == 0600);
    CHECK(S_ISSOCK(is.st_mode));
}

TEST_CASE("a client's passphrase is checked by the owner") {
    const Home home;
    const auto watch = watching(home);
    Process wrong(home, {"status"}, {"falsch", "", true});
    CHECK(wrong.wait() == 8);
    CHECK(wrong.out().empty());
    Process right(home, {"status"});
    CHECK(right.wait() == 0);
    CHECK(right.json().at(0).at("pid") == watch.pid());
}

TEST_CASE("a home longer than a socket's name may be") {
    const Home home(std::string(120, 'h') + "/" + std::string(120, 'i'));
    const auto watch = watching(home);
    Process status(home, {"status"});
    CHECK(status.wait() == 0);
    CHECK(status.json().at(0).at("pid") == watch.pid());
}
