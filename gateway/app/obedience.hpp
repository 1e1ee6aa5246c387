// What each broker holds of the directory's mirror, and up to where all that are linked have obeyed.
//
// A broker that is not linked is not waited for: nothing passes between it and the gateway, so whoever is connected
// there gets nothing and is heard by nobody, and it is told what changed before anything else once it is linked again;
// what it says then counts anew. While none is linked, nothing is confirmed. Threads: any.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "revocation/ports.hpp"

namespace nimes::gateway::app {

class Obedience {
  public:
    explicit Obedience(const std::vector<std::string>& names) {
        for (const auto& name : names) brokers_.push_back({name, false, 0, 0});
    }

    void linked(std::size_t broker) {
        set(broker, [](Broker& b) { b.linked = true, b.told = b.holds = 0; });
    }
    void unlinked(std::size_t broker) {
        set(broker, [](Broker& b) { b.linked = false; });
    }
    void told(std::size_t broker, std::uint64_t revision) {
        set(broker, [&](Broker& b) { b.told = revision; });
    }
    void holds(std::size_t broker, std::uint64_t revision) {
        set(broker, [&](Broker& b) { b.holds = revision; });
    }

    // What all that are linked were told, and hold; nullopt: none is linked.
    [[nodiscard]] std::optional<std::uint64_t> all_told() const { return least(&Broker::told); }
    [[nodiscard]] std::optional<std::uint64_t> all_hold() const { return least(&Broker::holds); }
    [[nodiscard]] std::vector<revocation::BrokerLine> lines() const {
        const std::lock_guard lock(mutex_);
        std::vector<revocation::BrokerLine> out;
        for (const auto& b : brokers_) out.push_back({b.name, b.linked, b.holds});
        return out;
    }

  private:
    struct Broker {
        std::string name;
        bool linked = false;
        std::uint64_t told = 0, holds = 0;
    };
    template <class Change>
    void set(std::size_t broker, const Change& change) {
        const std::lock_guard lock(mutex_);
        change(brokers_.at(broker));
    }
    [[nodiscard]] std::optional<std::uint64_t> least(std::uint64_t Broker::*what) const {
        const std::lock_guard lock(mutex_);
        std::optional<std::uint64_t> out;
        for (const auto& b : brokers_)
            if (b.linked) out = std::min(out.value_or(b.*what), b.*what);
        return out;
    }

    mutable std::mutex mutex_;
    std::vector<Broker> brokers_;
};

}  // namespace nimes::gateway::app
