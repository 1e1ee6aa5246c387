// tests/tools/push_sink.py, running: a push service that keeps what it was asked.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nimes::test {

class PushService {
  public:
    PushService();
    ~PushService();
    PushService(const PushService&) = delete;
    PushService& operator=(const PushService&) = delete;

    [[nodiscard]] std::string at(const std::string& path, const std::string& host = "127.0.0.1") const;
    // One JSON object each, whole ones only.
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] std::size_t requests_to(const std::string& path) const;

  private:
    std::filesystem::path folder_;
    std::string port_;
    pid_t pid_ = -1;
};

// Asks until it is true; false after half a minute.
bool soon(const std::function<bool()>& condition);

}  // namespace nimes::test
