#include "wake/pacer.hpp"

#include <algorithm>

namespace nimes::gateway::wake {

void Pacer::queue(const DeviceId& device, const State& state) {
    if (state.wanted && !state.ringing) due_.emplace(state.not_before, device);
}

bool Pacer::waits(const DeviceId& device, Millis now) {
    forget_old(now);
    if (!devices_.contains(device) && devices_.size() >= limits_.max_devices) return false;
    auto& state = devices_[device];
    state.wanted = true;
    state.failures = 0;
    queue(device, state);
    return true;
}

// Its last wake-up still counts against the next: coming and going must not ring faster.
void Pacer::came(const DeviceId& device, Millis now) {
    const auto at = devices_.find(device);
    if (at == devices_.end()) return;
    auto& state = at->second;
    due_.erase({state.not_before, device});
    state.wanted = false;
    state.unheard = 0;
    state.not_before = std::min(state.not_before, now + limits_.least);
}

std::optional<DeviceId> Pacer::next(Millis now) {
    if (due_.empty() || due_.begin()->first > now) return std::nullopt;
    const auto device = due_.begin()->second;
    due_.erase(due_.begin());
    auto& state = devices_.at(device);
    state.ringing = true;
    state.wanted = false;
    return device;
}

void Pacer::rang(const DeviceId& device, bool ok, Millis now) {
    const auto at = devices_.find(device);
    if (at == devices_.end()) return;
    auto& state = at->second;
    state.ringing = false;
    state.failures = ok ? 0 : state.failures + 1;
    if (!ok && state.failures < limits_.tries) state.wanted = true;
    state.not_before = now + std::min(limits_.most, limits_.least << std::min(state.unheard, 20U));
    ++state.unheard;
    queue(device, state);
}

std::optional<Millis> Pacer::next_at() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

// What has nothing due and could be woken at once anyway.
void Pacer::forget_old(Millis now) {
    if (now < next_forget_) return;
    next_forget_ = now + limits_.least;
    std::erase_if(devices_, [&](const auto& entry) {
        const auto& s = entry.second;
        return !s.wanted && !s.ringing && s.unheard == 0 && now >= s.not_before;
    });
}

}  // namespace nimes::gateway::wake
