// SIGINT, SIGTERM and SIGHUP become a request to stop; a second one ends the process at once.
//
// Threads: made before any other thread, which inherits the blocked signals, so that only the waiter here gets them.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

namespace nimes::agent::cli {

class Signals {
  public:
    static constexpr int kExit = 130;

    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
    [[nodiscard]] bool came() const { return came_; }

  private:
    void wait();

    sigset_t set_{};
    std::stop_source stop_;
    std::atomic<bool> came_ = false;
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

}  // namespace nimes::agent::cli
