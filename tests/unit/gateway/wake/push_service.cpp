#include "push_service.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <thread>

namespace nimes::test {

PushService::PushService() {
    std::string name = (std::filesystem::temp_directory_path() / "nimes-push-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/usr/bin/python3", "python3", NIMES_PUSH_SINK, folder_.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) port_ += c;
    close(ends[0]);
    REQUIRE_FALSE(port_.empty());
}

PushService::~PushService() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string PushService::at(const std::string& path, const std::string& host) const {
    return "http://" + host + ":" + port_ + path;
}

std::vector<std::string> PushService::requests() const {
    std::vector<std::string> out;
    std::ifstream in(folder_ / "requests");
    for (std::string line; std::getline(in, line);)
        if (line.ends_with("}")) out.push_back(line);
    return out;
}

std::size_t PushService::requests_to(const std::string& path) const {
    const auto all = requests();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const auto& line) { return line.find("\"path\": \"" + path + "\"") != std::string::npos; }));
}

bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 3'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace nimes::test
