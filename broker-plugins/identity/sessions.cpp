#include "identity/sessions.hpp"

#include <algorithm>

namespace nimes::plugin {

void Sessions::admitted(const void* connection, const Who& who, Millis now) {
    gone(connection, now);  // the broker reused the address without telling
    sessions_[connection] = {who, ++next_number_, false, static_cast<double>(burst_), now};
    if (!who.gateway) by_device_.emplace(who.device, connection);
}

const Who* Sessions::who(const void* connection) const {
    const auto at = sessions_.find(connection);
    return at == sessions_.end() ? nullptr : &at->second.who;
}

std::optional<Presence> Sessions::seen(const void* connection, Millis now) {
    const auto at = sessions_.find(connection);
    if (at == sessions_.end() || at->second.told || at->second.who.gateway) return std::nullopt;
    at->second.told = true;
    return Presence{Presence::Kind::connected, at->second.who.device, at->second.number, now};
}

std::optional<Presence> Sessions::gone(const void* connection, Millis now) {
    const auto at = sessions_.find(connection);
    if (at == sessions_.end()) return std::nullopt;
    const auto session = at->second;
    sessions_.erase(at);
    const auto [first, last] = by_device_.equal_range(session.who.device);
    const auto mine = std::find_if(first, last, [&](const auto& e) { return e.second == connection; });
    if (mine != last) by_device_.erase(mine);
    if (!session.told) return std::nullopt;
    return Presence{Presence::Kind::gone, session.who.device, session.number, now};
}

std::vector<Presence> Sessions::all(Millis now) const {
    std::vector<Presence> out;
    for (const auto& [connection, session] : sessions_)
        if (session.told) out.push_back({Presence::Kind::connected, session.who.device, session.number, now});
    return out;
}

bool Sessions::spend(const void* connection, Millis now) {
    const auto at = sessions_.find(connection);
    if (at == sessions_.end()) return false;
    auto& s = at->second;
    if (s.who.gateway) return true;
    const auto passed = now > s.counted ? static_cast<double>(now - s.counted) / 1000.0 : 0.0;
    s.tokens = std::min<double>(burst_, s.tokens + passed * rate_);
    s.counted = std::max(s.counted, now);
    if (s.tokens < 1) return false;
    s.tokens -= 1;
    return true;
}

}  // namespace nimes::plugin
