// A child process of a test, and a folder for its files. Both are gone when the object is.
//
// The kernel ends the child too when the test dies. Threads: one. Errors: std::runtime_error, which fails the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nimes::test {

class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

class Process {
  public:
    // Both outputs are appended to `log`; `environment` (NAME=value) comes on top of the test's own.
    Process(const std::vector<std::string>& command, const std::filesystem::path& log,
            const std::vector<std::string>& environment = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] bool alive();
    void signal(int number) const;
    [[nodiscard]] std::chrono::milliseconds cpu() const;  // that it has used, in user and kernel
    // Waits for its end and answers waitpid's status.
    int wait();

  private:
    pid_t pid_ = -1;
    int status_ = 0;
    bool ended_ = false;
};

// Runs a command to its end; throws with its output unless it succeeds.
void run(const std::vector<std::string>& command, const std::filesystem::path& log);

// A port of 127.0.0.1 that was free a moment ago, as the kernel says.
std::uint16_t free_port();
[[nodiscard]] bool answers(std::uint16_t port);

std::string read_text(const std::filesystem::path& path);

// Asks until it is true; false after half a minute, far beyond anything that works.
bool soon(const std::function<bool()>& condition);

}  // namespace nimes::test
