// Where devices are, over several brokers, each of which numbers its own connections.
//
// A device is gone when no broker has it any more: one that went to another broker is told gone by the first one late,
// and a broker that was out of reach tells of connections that died long ago. Numbers that leave here rise over all
// brokers. Threads: any.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "nimes/mirror.hpp"

namespace nimes::gateway::app {

class Presences {
  public:
    // The number to be told for a broker's presence; nullopt: nothing is to be told, it is old, or somewhere else too.
    std::optional<std::uint64_t> take(std::size_t broker, const Presence& presence) {
        const std::lock_guard lock(mutex_);
        auto& places = places_[presence.device];
        const auto at = std::ranges::find(places, broker, &Place::broker);
        const bool known = at != places.end();
        const bool old = known && presence.connection < at->connection;
        if (presence.kind == Presence::Kind::gone) {
            if (known && !old) places.erase(at);
            const bool nowhere = places.empty();
            if (nowhere) places_.erase(presence.device);
            return known && !old && nowhere ? std::optional(++last_) : std::nullopt;
        }
        if (old) return std::nullopt;
        if (known) at->connection = presence.connection;
        else places.push_back({broker, presence.connection});
        return ++last_;
    }
    // It tells anew who is there.
    void linked(std::size_t broker) {
        const std::lock_guard lock(mutex_);
        for (auto at = places_.begin(); at != places_.end();) {
            std::erase_if(at->second, [&](const Place& place) { return place.broker == broker; });
            at = at->second.empty() ? places_.erase(at) : std::next(at);
        }
    }

  private:
    struct Place {
        std::size_t broker;
        std::uint64_t connection;
    };
    std::mutex mutex_;
    std::unordered_map<DeviceId, std::vector<Place>> places_;
    std::uint64_t last_ = 0;
};

}  // namespace nimes::gateway::app
