#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace nimes::agent::cli::test {
namespace {

// The words of exec, made before fork: between the two nothing may allocate.
struct Words {
    explicit Words(std::vector<std::string> list) : strings(std::move(list)) {
        for (auto& s : strings) pointers.push_back(s.data());
        pointers.push_back(nullptr);
    }
    std::vector<std::string> strings;
    std::vector<char*> pointers;
};

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

// A file to read from, gone from its folder: takes any length without a writer.
int reading(const std::string& text) {
    char name[] = "/tmp/nimes-typed-XXXXXX";
    const int fd = ::mkstemp(name);
    ::unlink(name);
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::lseek(fd, 0, SEEK_SET);
    return fd;
}

}  // namespace

Home::Home(const std::string& below) {
    char name[] = "/tmp/nimes-cli-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / below;
    std::filesystem::create_directories(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
}

Home::~Home() { std::filesystem::remove_all(folder_); }

std::vector<std::string> Home::lines(const std::string& file) const {
    std::ifstream in(path_ / file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

void Home::write(const std::string& file, const std::string& text) const { std::ofstream(path_ / file) << text; }

Process::Process(const Home& home, const std::vector<std::string>& words, const How& how) {
    static std::atomic<int> count = 0;
    const auto name = home.path().parent_path() / ("run-" + std::to_string(count++));
    out_ = name.string() + ".out";
    err_ = name.string() + ".err";
    const int in = reading(how.typed), secret = reading(how.passphrase + "\n");
    const int out = ::open(out_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const int err = ::open(err_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    std::vector<std::string> all{FAKE_AGENT, "--home", home.path().string(), "--passphrase-fd", "3"};
    if (how.json) all.emplace_back("--json");
    all.insert(all.end(), words.begin(), words.end());
    Words exec(std::move(all));
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(err, 2);
        ::dup2(secret, 3);
        ::close_range(4, ~0U, 0);
        ::execv(exec.pointers[0], exec.pointers.data());
        ::_exit(127);
    }
    for (const int fd : {in, secret, out, err}) ::close(fd);
    REQUIRE(pid_ > 0);
}

Process::Process(Process&& other) noexcept
    : out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      pid_(std::exchange(other.pid_, -1)),
      status_(other.status_) {}

Process::~Process() {
    if (pid_ <= 0 || status_ >= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool Process::alive() {
    int status = 0;
    if (status_ < 0 && ::waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return status_ < 0;
}

int Process::wait() {
    until("the process ends; so far: " + err(), [&] { return !alive(); });
    return status_;
}

void Process::signal(int number) const { ::kill(pid_, number); }
std::string Process::out() const { return read(out_); }
std::string Process::err() const { return read(err_); }

std::vector<Json> Process::json() const {
    const auto text = out();
    std::istringstream in(text.substr(0, text.rfind('\n') + 1));
    std::vector<Json> all;
    for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
    return all;
}

void until(const std::string& what, const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!holds()) {
        INFO("waited for: " << what);
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace nimes::agent::cli::test
