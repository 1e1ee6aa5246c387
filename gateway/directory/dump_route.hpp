// GET /v1/directory/dump: a revision whole, streamed leaf by leaf in constant memory (FORMATS.md 2.11.7).
//
// At most two at a time for all devices together: who audits comes once a day. A dump reads from a copy that shares
// everything with the directory, so it holds no lock while the network takes its time. Threads: any.
#pragma once

#include <atomic>
#include <memory>

#include "directory/directory.hpp"
#include "http/request.hpp"

namespace nimes::gateway::directory {

inline constexpr int kDumpsAtOnce = 2;

class Dumps {
  public:
    explicit Dumps(const Directory& directory)
        : directory_(&directory), running_(std::make_shared<std::atomic<int>>(0)) {}
    [[nodiscard]] http::Response answer(const http::Request& request) const;

  private:
    const Directory* directory_;
    std::shared_ptr<std::atomic<int>> running_;
};

}  // namespace nimes::gateway::directory
