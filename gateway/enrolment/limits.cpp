#include "enrolment/limits.hpp"

#include <arpa/inet.h>

namespace nimes::gateway::enrolment {

bool Limits::take(const std::string& key, Millis now) {
    const std::lock_guard lock(mutex_);
    if (counts_.size() >= kKeys)
        std::erase_if(counts_, [&](const auto& item) { return now - item.second.began >= window_; });
    if (counts_.size() >= kKeys) counts_.clear();
    auto& count = counts_[key];
    if (now - count.began >= window_) count = {now, 0};
    if (count.n >= most_) return false;
    ++count.n;
    return true;
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
