// Which connection of a device is the newest, where there are several brokers: each numbers its own.
//
// A device that went from one broker to another is told gone by the first one late; that must not end what it has at
// the second. Numbers that leave here rise over all brokers. Threads: any.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "nimes/mirror.hpp"

namespace nimes::gateway::app {

class Presences {
  public:
    // The number to be told for a broker's presence; nullopt: it is of a connection that is not the newest.
    std::optional<std::uint64_t> take(std::size_t broker, const Presence& presence) {
        const std::lock_guard lock(mutex_);
        const auto at = newest_.find(presence.device);
        const bool known = at != newest_.end() && at->second.broker == broker;
        if (known && presence.connection < at->second.connection) return std::nullopt;
        if (presence.kind == Presence::Kind::gone) {
            if (!known) return std::nullopt;
            const auto number = at->second.number;
            newest_.erase(at);
            return number;
        }
        if (known && presence.connection == at->second.connection) return at->second.number;  // told again
        newest_[presence.device] = {broker, presence.connection, ++last_};
        return last_;
    }

  private:
    struct Newest {
        std::size_t broker;
        std::uint64_t connection;
        std::uint64_t number;
    };
    std::mutex mutex_;
    std::unordered_map<DeviceId, Newest> newest_;
    std::uint64_t last_ = 0;
};

}  // namespace nimes::gateway::app
