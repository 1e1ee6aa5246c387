#include "enrolment/limits.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "nimes/encoding.hpp"

namespace nimes::gateway::enrolment {

std::string network_of(std::string_view peer) {
    const std::string text(peer.substr(0, peer.find('%')));  // without an interface's name
    in6_addr six{};
    if (inet_pton(AF_INET6, text.c_str(), &six) != 1) return text;
    const ByteView bytes(six.s6_addr, 16);
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        char four[INET_ADDRSTRLEN];
        return inet_ntop(AF_INET, bytes.last(4).data(), four, sizeof four) != nullptr ? four : text;
    }
    return to_hex(bytes.first(8)) + "/64";
}

// A bucket is kept as the time at which it is full again; each token taken moves that time by `refill`.
Result<void> Limiter::take(const std::string& network) {
    const auto now = clock_.boot();
    const std::lock_guard lock(mutex_);
    auto at = buckets_.find(network);
    if (at == buckets_.end()) {
        // a sweep walks the whole table: once a second at most
        if (buckets_.size() >= max_ && now >= swept_at_ + kSecond) sweep_locked(now);
        if (buckets_.size() >= max_) return fail(Errc::rate_limited);
        at = buckets_.try_emplace(network).first;
    }
    const auto full_at = std::max(at->second.full_at, now) + rate_.refill;
    if (full_at - now > Millis{rate_.burst} * rate_.refill) return fail(Errc::rate_limited);
    at->second.full_at = full_at;
    return {};
}

void Limiter::sweep() {
    const auto now = clock_.boot();
    const std::lock_guard lock(mutex_);
    sweep_locked(now);
}

void Limiter::sweep_locked(Millis now) {
    swept_at_ = now;
    std::erase_if(buckets_, [now](const auto& row) { return row.second.full_at <= now; });
}

std::size_t Limiter::size() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
}

}  // namespace nimes::gateway::enrolment
