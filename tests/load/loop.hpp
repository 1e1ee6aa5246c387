// One thread's event loop: epoll, timers, and work that waits for the end of a pass.
//
// What a pass of events makes ready to send leaves at its end in one write a connection, as any careful client does.
// Threads: one. Ownership: a watched descriptor and its Watcher outlive their watch(); an owner that dies calls
// forget() first. Errors: std::system_error where the kernel gives no descriptors.
#pragma once

#include <sys/epoll.h>

#include <functional>
#include <queue>
#include <unordered_set>
#include <vector>

#include "nimes/time.hpp"

namespace nimes::load {

using Micros = std::int64_t;  // of the monotonic clock
Micros micros_now();

class Watcher {
  public:
    virtual ~Watcher() = default;
    virtual void ready(std::uint32_t events) = 0;  // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
    virtual void end_of_pass() = 0;                // was asked for by at_end_of_pass()
};

class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void watch(int fd, std::uint32_t events, Watcher& watcher);  // adds, or changes what is waited for
    void forget(int fd, Watcher& watcher);
    void at_end_of_pass(Watcher& watcher);
    void at(Micros time, std::function<void()> call);
    void after(Micros delay, std::function<void()> call) { at(micros_now() + delay, std::move(call)); }
    // Until done() holds or the time is over; answers done().
    bool run(const std::function<bool()>& done, Micros until);

  private:
    struct Timer {
        Micros at = 0;
        std::uint64_t order = 0;
        std::function<void()> call;
        bool operator<(const Timer& o) const { return at != o.at ? at > o.at : order > o.order; }
    };
    void timers(Micros now);

    int epoll_;
    std::unordered_set<int> watched_;
    std::unordered_set<Watcher*> alive_;
    std::vector<Watcher*> ending_;
    std::priority_queue<Timer> timers_;
    std::uint64_t order_ = 0;
};

}  // namespace nimes::load
