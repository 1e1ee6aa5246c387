#include "loop.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace nimes::load {

Micros micros_now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}
Loop::~Loop() { close(epoll_); }

void Loop::watch(int fd, std::uint32_t events, Watcher& watcher) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watcher;
    const bool is_new = watched_.insert(fd).second;
    alive_.insert(&watcher);
    if (epoll_ctl(epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void Loop::forget(int fd, Watcher& watcher) {
    if (watched_.erase(fd) > 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    alive_.erase(&watcher);
    std::erase(ending_, &watcher);
}

void Loop::at_end_of_pass(Watcher& watcher) { ending_.push_back(&watcher); }

void Loop::at(Micros time, std::function<void()> call) { timers_.push({time, order_++, std::move(call)}); }

void Loop::timers(Micros now) {
    while (!timers_.empty() && timers_.top().at <= now) {
        const auto call = timers_.top().call;
        timers_.pop();
        call();
    }
}

bool Loop::run(const std::function<bool()>& done, Micros until) {
    std::array<epoll_event, 256> events{};
    for (;;) {
        timers(micros_now());
        while (!ending_.empty()) {
            const auto batch = std::exchange(ending_, {});
            for (auto* watcher : batch)
                if (alive_.contains(watcher)) watcher->end_of_pass();
        }
        if (done()) return true;
        const auto now = micros_now();
        if (now >= until) return false;
        const auto next = timers_.empty() ? until : std::min(until, timers_.top().at);
        const auto wait = std::clamp<Micros>((next - now + 999) / 1'000, 0, 1'000);
        const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait));
        if (n < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_wait");
        for (int i = 0; i < n; ++i) {
            auto* watcher = static_cast<Watcher*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (alive_.contains(watcher)) watcher->ready(events[static_cast<std::size_t>(i)].events);
        }
    }
}

}  // namespace nimes::load
