#include "http/connections.hpp"

#include <algorithm>
#include <chrono>

#include "http/connection.hpp"

namespace nimes::gateway::http {

void Connections::add(const std::shared_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex_);
    known_.emplace(connection.get(), Known{connection, {}});
}

void Connections::remove(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    const auto at = known_.find(&connection);
    if (at == known_.end()) return;
    for (const auto& device : at->second.devices) {
        auto [first, last] = by_device_.equal_range(device);
        while (first != last && first->second != &connection) ++first;
        if (first != last) by_device_.erase(first);
    }
    known_.erase(at);
    if (known_.empty()) gone_.notify_all();
}

void Connections::speaks(Connection& connection, const DeviceId& device) {
    const std::lock_guard lock(mutex_);
    const auto at = known_.find(&connection);
    if (at == known_.end() || std::ranges::find(at->second.devices, device) != at->second.devices.end()) return;
    at->second.devices.push_back(device);
    by_device_.emplace(device, &connection);
}

std::size_t Connections::cut(const DeviceId& device) {
    const std::lock_guard lock(mutex_);
    ++epoch_;
    std::size_t ended = 0;
    const auto [first, last] = by_device_.equal_range(device);
    for (auto at = first; at != last; ++at)
        if (const auto connection = known_.at(at->second).connection.lock()) {
            connection->end();
            ++ended;
        }
    return ended;
}

std::size_t Connections::size() const {
    const std::lock_guard lock(mutex_);
    return known_.size();
}

void Connections::end_all(bool only_idle) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, known] : known_) {
        const auto connection = known.connection.lock();
        if (!connection) continue;
        if (only_idle) connection->end_when_idle();
        else connection->end();
    }
}

bool Connections::wait_until_empty(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return gone_.wait_for(lock, limit, [&] { return known_.empty(); });
}

}  // namespace nimes::gateway::http
