#include "admin/revocations.hpp"

#include <algorithm>

namespace nimes::gateway::admin {

std::string_view name(Step step) {
    switch (step) {
        case Step::recorded:
            return "recorded";
        case Step::broker_told:
            return "broker_told";
        case Step::broker_obeyed:
            return "broker_obeyed";
        case Step::requests_cut:
            return "requests_cut";
        case Step::mailbox_destroyed:
            return "mailbox_destroyed";
        case Step::share_deleted:
            return "share_deleted";
    }
    return "unknown";
}

bool Progress::complete() const {
    return std::all_of(std::begin(done), std::end(done), [](Millis at) { return at != 0; });
}

void Revocations::begin(const DeviceId& device, Millis now) {
    const std::lock_guard lock(mutex_);
    if (all_.size() >= kKept) std::erase_if(all_, [](const auto& item) { return item.second.complete(); });
    Progress progress;
    progress.device = device;
    progress.began = now;
    all_.insert_or_assign(device, progress);
}

void Revocations::told(const DeviceId& device, std::uint64_t mirror_revision, Millis now) {
    const std::lock_guard lock(mutex_);
    const auto at = all_.find(device);
    if (at == all_.end()) return;
    at->second.mirror_revision = mirror_revision;
    at->second.done[static_cast<std::size_t>(Step::broker_told)] = now;
}

void Revocations::done(const DeviceId& device, Step step, Millis now) {
    const std::lock_guard lock(mutex_);
    if (const auto at = all_.find(device); at != all_.end()) at->second.done[static_cast<std::size_t>(step)] = now;
}

std::vector<double> Revocations::obeyed(std::uint64_t mirror_revision, Millis now) {
    std::vector<double> seconds;
    const std::lock_guard lock(mutex_);
    for (auto& [device, progress] : all_) {
        auto& at = progress.done[static_cast<std::size_t>(Step::broker_obeyed)];
        if (at != 0 || progress.mirror_revision == 0 || progress.mirror_revision > mirror_revision) continue;
        at = now;
        seconds.push_back(static_cast<double>(now - progress.began) / 1'000.0);
    }
    return seconds;
}

bool Revocations::find(const DeviceId& device, Progress& out) const {
    const std::lock_guard lock(mutex_);
    const auto at = all_.find(device);
    if (at == all_.end()) return false;
    out = at->second;
    return true;
}

std::size_t Revocations::pending() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& item) {
        return item.second.done[static_cast<std::size_t>(Step::broker_obeyed)] == 0;
    }));
}

}  // namespace nimes::gateway::admin
