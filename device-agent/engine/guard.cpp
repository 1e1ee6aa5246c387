#include "engine/guard.hpp"

namespace nimes::agent::engine {
namespace {

using container::State;

constexpr auto kLook = std::chrono::seconds(1);

}  // namespace

void Guard::start() {
    used_ = core_.clock.boot();
    thread_ = std::thread([this] { run(); });
}

void Guard::stop() {
    stop_.request_stop();
    core_.changed.notify_all();
    if (thread_.joinable()) thread_.join();
    door_.reset();
}

void Guard::use_ends() {
    --uses_;
    used_ = core_.clock.boot();
}

void Guard::settle(Lock& lock) {
    while (!stop_.stop_requested() && (changing_ || up_ != (core_.box->state() == State::open)) && thread_.joinable())
        core_.changed.wait_for(lock, kLook);
}

void Guard::run() {
    Lock lock(core_.mutex);
    while (!stop_.stop_requested()) {
        keeper_.tick(lock, {uses_ == 0 ? std::optional(used_) : std::nullopt, online_, refused_}, stop_.get_token());
        refused_ = false;
        const bool open = core_.box->state() == State::open;
        if (up_ && !open) close(lock);
        if (!up_ && open) reopen(lock);
        if (core_.box->state() != State::door) door_.reset();
        else if (!door_) door_ = hooks_.door_link();
        if (door_) refused_ = door_->handle();
        if (stop_.stop_requested()) return;
        core_.changed.wait_for(lock, kLook);
    }
}

// Calls that are inside find no key any more, and leave; those to come are refused.
void Guard::close(Lock& lock) {
    changing_ = true;
    lock.unlock();
    hooks_.stop_link();
    lock.lock();
    core_.shut_out = refusal(keeper_.why()).code;
    core_.changed.notify_all();
    while (!hooks_.all_left() && !stop_.stop_requested()) core_.changed.wait_for(lock, kLook);
    hooks_.put_down();
    up_ = false;
    changing_ = false;
    core_.changed.notify_all();
}

void Guard::reopen(Lock& lock) {
    changing_ = true;
    if (door_) {
        (void)door_->handle();  // what came last is stored before its connection ends
        lock.unlock();
        door_->stop();
        lock.lock();
        door_.reset();
    }
    used_ = core_.clock.boot();
    // What does not load now would not load in a second either: locked, so that somebody sees why.
    if (hooks_.raise(lock)) {
        up_ = true;
    } else {  // nothing of what was loaded stays behind the door
        lock.unlock();
        hooks_.stop_link();
        lock.lock();
        hooks_.put_down();
        keeper_.close(Why::asked);
    }
    changing_ = false;
    core_.changed.notify_all();
}

}  // namespace nimes::agent::engine
