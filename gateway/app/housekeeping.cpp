#include "app/housekeeping.hpp"

namespace nimes::gateway::app {
namespace {

constexpr auto kLook = std::chrono::seconds(5);
constexpr Millis kSweep = 10 * kMinute;

}  // namespace

void Housekeeping::start() {
    thread_ = std::thread([this] { run(); });
}

void Housekeeping::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Housekeeping::run() {
    auto next_sweep = needs_.clock.boot();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        if (const auto ok = needs_.directory.tick(); !ok)
            needs_.log.error("head_failed", {{"code", ok.error().row().name}});
        needs_.media.tidy();
        if (needs_.clock.boot() >= next_sweep) {
            sweep();
            next_sweep = needs_.clock.boot() + kSweep;
        }
        lock.lock();
        wake_.wait_for(lock, kLook, [this] { return stopping_; });
    }
}

void Housekeeping::sweep() {
    if (const auto ok = needs_.enrolment.expire(); !ok)
        needs_.log.error("enrolment_expiry_failed", {{"code", ok.error().row().name}});
    const auto gone = needs_.media.expire();
    if (!gone) return needs_.log.error("media_expiry_failed", {{"code", gone.error().row().name}});
    needs_.metrics.media_removed.add(static_cast<double>(*gone));
}

}  // namespace nimes::gateway::app
