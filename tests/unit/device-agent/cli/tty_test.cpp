// At a terminal: the passphrase is asked for there, never shown, and Ctrl-C leaves with the terminal as it was.
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <regex>

#include "process.hpp"

using namespace nimes::agent::cli::test;

namespace {

// The fake agent with a terminal of its own; standard input may be another file than that terminal.
class AtTerminal {
  public:
    AtTerminal(const Home& home, const std::vector<std::string>& words, bool piped = false) {
        auto all = std::vector<std::string>{FAKE_AGENT, "--home", home.path().string()};
        all.insert(all.end(), words.begin(), words.end());
        std::vector<char*> exec;
        for (auto& word : all) exec.push_back(word.data());
        exec.push_back(nullptr);
        int pipe[2] = {-1, -1};
        if (piped) REQUIRE(::pipe(pipe) == 0);
        pid_ = ::forkpty(&fd_, nullptr, nullptr, nullptr);
        if (pid_ == 0) {
            if (piped) ::dup2(pipe[0], 0);
            ::close_range(3, ~0U, 0);
            ::execv(exec[0], exec.data());
            ::_exit(127);
        }
        REQUIRE(pid_ > 0);
        if (!piped) return;
        REQUIRE(::write(pipe[1], "from a pipe", 11) == 11);
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
    ~AtTerminal() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(fd_);
    }
    AtTerminal(const AtTerminal&) = delete;
    AtTerminal& operator=(const AtTerminal&) = delete;

    void expect(const std::string& text) {
        until("'" + text + "', so far '" + seen_ + "'", [&] {
            read();
            return seen_.find(text) != std::string::npos;
        });
    }
    void type(const std::string& text) { REQUIRE(::write(fd_, text.data(), text.size()) > 0); }
    [[nodiscard]] bool echoes() const {
        termios now{};
        REQUIRE(::tcgetattr(fd_, &now) == 0);
        return (now.c_lflag & ECHO) != 0;
    }
    void expect_silence() {
        until("no echo", [&] { return !echoes(); });
    }
    int wait() {
        int status = 0;
        until("the end", [&] {
            read();
            return ::waitpid(pid_, &status, WNOHANG) == pid_;
        });
        pid_ = -1;
        read();
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    [[nodiscard]] const std::string& seen() const { return seen_; }

  private:
    void read() {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd_, &set);
        timeval none{};
        char bytes[1024];
        while (::select(fd_ + 1, &set, nullptr, nullptr, &none) == 1) {
            const auto n = ::read(fd_, bytes, sizeof bytes);
            if (n <= 0) return;
            seen_.append(bytes, static_cast<std::size_t>(n));
        }
    }

    int fd_ = -1;
    pid_t pid_ = -1;
    std::string seen_;
};

}  // namespace

TEST_CASE("the passphrase is asked for without echo") {
    const Home home;
    AtTerminal status(home, {"status"});
    status.expect("Passphrase: ");
    status.expect_silence();
    status.type("richtig\n");
    CHECK(status.wait() == 0);
    CHECK(status.echoes());
    CHECK(status.seen().find("richtig") == std::string::npos);
    CHECK(status.seen().find("enrolled") != std::string::npos);
}

TEST_CASE("Ctrl-C at the prompt leaves at once, and the terminal echoes again") {
    const Home home;
    AtTerminal status(home, {"status"});
    status.expect("Passphrase: ");
    status.expect_silence();
    status.type("rich\x03");
    CHECK(status.wait() == 130);
    CHECK(status.echoes());
}

TEST_CASE("a new home's passphrase is asked for twice") {
    const Home home;
    home.write("file", "provisioning");
    AtTerminal enrol(home, {"enrol", "--provisioning", (home.path() / "file").string(), "a@b.example"});
    enrol.expect("New passphrase: ");
    enrol.expect_silence();
    enrol.type("richtig\n");
    enrol.expect("Once more: ");
    enrol.expect_silence();
    enrol.type("anders\n");
    CHECK(enrol.wait() == 2);
    CHECK(enrol.seen().find("differ") != std::string::npos);
}

TEST_CASE("a text comes by a pipe and the passphrase from the terminal") {
    const Home home;
    AtTerminal send(home, {"send", "--to", "Meyer", "-"}, true);
    send.expect("Passphrase: ");
    send.expect_silence();
    send.type("richtig\n");
    CHECK(send.wait() == 0);
    CHECK(home.lines("sent").at(0).substr(33) == "from a pipe");
}

TEST_CASE("a long transfer shows how far it is, how fast it goes and how long it takes, on one line of its own") {
    const Home home;
    home.write("hold", "");
    AtTerminal send(home, {"send", "--to", "Meyer", "large"});
    send.expect("Passphrase: ");
    send.expect_silence();
    send.type("richtig\n");
    send.expect(" 50 %  250.0 of 500.0 MB  ");
    const std::regex moving("\r *([0-9]+) %  ([0-9.]+) of 500\\.0 MB  ([0-9.]+) MB/s  ([0-9]+) s left");
    // At the half: the rate counts what went since it began, not the tenth that stood there, and what is left follows.
    std::smatch at_half;
    const auto seen = send.seen().substr(send.seen().rfind("\r 50 %"));
    REQUIRE(std::regex_search(seen, at_half, moving));
    const auto rate = std::stod(at_half[3]);
    CHECK((rate > 0 && rate < 200 / 0.6 + 1));
    CHECK(std::abs(std::stod(at_half[4]) - 250 / rate) <= 1);
    std::filesystem::remove(home.path() / "hold");
    CHECK(send.wait() == 0);
    const auto& all = send.seen();
    CHECK(all.find("100 %  500.0 of 500.0 MB") != std::string::npos);
    CHECK(all.find("0 s left") != std::string::npos);
    const auto answer = all.find("sealed for");
    REQUIRE(answer != std::string::npos);
    CHECK(all.find('\n', all.rfind('%')) < answer);  // what follows begins a line
    CHECK(all.rfind('%') < answer);
}

TEST_CASE("where nobody looks there is no bar, and --json has no line of it") {
    const Home home;
    for (const bool json : {false, true}) {
        Process send(home, {"send", "--to", "Meyer", "large"}, Process::How{"richtig", "", json});
        CHECK(send.wait() == 0);
        CHECK(send.err().empty());
        CHECK(send.out().find('%') == std::string::npos);
        CHECK(send.out().find("progress") == std::string::npos);
        if (json) CHECK(send.json().size() == 1);
    }
}

TEST_CASE("--no-input asks for no passphrase") {
    const Home home;
    AtTerminal status(home, {"--no-input", "status"});
    CHECK(status.wait() == 2);
    CHECK(status.seen().find("Passphrase") == std::string::npos);
    CHECK(status.seen().find("--passphrase-fd") != std::string::npos);
}
