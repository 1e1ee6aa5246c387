#include "enrolment/limits.hpp"

#include <arpa/inet.h>

#include <iterator>

namespace nimes::gateway::enrolment {

bool Limits::take(const std::string& key, Millis now) {
    const std::lock_guard lock(mutex_);
    while (!windows_.empty() && now - windows_.front().began >= window_) drop_oldest();
    auto at = by_key_.find(key);
    if (at == by_key_.end()) {
        if (windows_.size() >= keys_) drop_oldest();
        windows_.push_back({key, now, 0});
        at = by_key_.emplace(windows_.back().key, std::prev(windows_.end())).first;
    }
    auto& window = *at->second;
    if (window.n >= most_) return false;
    ++window.n;
    return true;
}

bool Limits::has(const std::string& key, Millis now) const {
    const std::lock_guard lock(mutex_);
    const auto at = by_key_.find(key);
    return at == by_key_.end() || now - at->second->began >= window_ || at->second->n < most_;
}

void Limits::drop_oldest() {
    by_key_.erase(windows_.front().key);
    windows_.pop_front();
}

std::string network_of(const std::string& ip) {
    in6_addr six{};
    if (in_addr four{}; inet_pton(AF_INET, ip.c_str(), &four) == 1)
        return std::string(reinterpret_cast<const char*>(&four), 3);
    if (inet_pton(AF_INET6, ip.c_str(), &six) != 1) return ip;
    const auto* bytes = reinterpret_cast<const char*>(&six);
    if (IN6_IS_ADDR_V4MAPPED(&six)) return std::string(bytes + 12, 3);
    return std::string(bytes, 8);
}

}  // namespace nimes::gateway::enrolment
