// What each broker holds of the directory's mirror, and up to where all that are linked have obeyed.
//
// A broker that has been away for kGrace is not waited for: nothing passes between it and the gateway, so whoever is
// connected there gets nothing and is heard by nobody, and it is told what changed once it is linked again; what it
// says then counts anew. Before that it is waited for: a link that only fell for a moment, or has not come up since the
// gateway started, confirms nothing. While none is linked, nothing is confirmed. Threads: any.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nimes/time.hpp"
#include "revocation/ports.hpp"

namespace nimes::gateway::app {

class Obedience {
  public:
    static constexpr Millis kGrace = kMinute;

    Obedience(const std::vector<std::string>& names, const Clock& clock) : clock_(clock) {
        for (const auto& name : names) brokers_.push_back({name, false, clock.boot(), 0, 0});
    }

    void linked(std::size_t broker) {
        set(broker, [](Broker& b) { b.linked = true; });
    }
    void unlinked(std::size_t broker) {
        set(broker, [&](Broker& b) { b.linked = false, b.away_since = clock_.boot(), b.told = b.holds = 0; });
    }
    void told(std::size_t broker, std::uint64_t revision) {
        set(broker, [&](Broker& b) { b.told = revision; });
    }
    void holds(std::size_t broker, std::uint64_t revision) {
        set(broker, [&](Broker& b) { b.holds = revision, b.told = std::max(b.told, revision); });
    }

    // What all that are waited for were told, and hold; nullopt: none is linked.
    [[nodiscard]] std::optional<std::uint64_t> all_told() const { return least(&Broker::told); }
    [[nodiscard]] std::optional<std::uint64_t> all_hold() const { return least(&Broker::holds); }
    [[nodiscard]] std::vector<revocation::BrokerLine> lines() const {
        const std::lock_guard lock(mutex_);
        std::vector<revocation::BrokerLine> out;
        for (const auto& b : brokers_) out.push_back({b.name, b.linked, awaited(b), b.holds});
        return out;
    }

  private:
    struct Broker {
        std::string name;
        bool linked = false;
        Millis away_since = 0;  // boot clock
        std::uint64_t told = 0, holds = 0;
    };
    template <class Change>
    void set(std::size_t broker, const Change& change) {
        const std::lock_guard lock(mutex_);
        change(brokers_.at(broker));
    }
    [[nodiscard]] bool any_linked() const {
        return std::any_of(brokers_.begin(), brokers_.end(), [](const Broker& b) { return b.linked; });
    }
    [[nodiscard]] bool awaited(const Broker& b) const {
        return b.linked || clock_.boot() < b.away_since + kGrace || !any_linked();
    }
    [[nodiscard]] std::optional<std::uint64_t> least(std::uint64_t Broker::*what) const {
        const std::lock_guard lock(mutex_);
        if (!any_linked()) return std::nullopt;
        std::optional<std::uint64_t> out;
        for (const auto& b : brokers_)
            if (awaited(b)) out = std::min(out.value_or(b.*what), b.*what);
        return out;
    }

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::vector<Broker> brokers_;
};

}  // namespace nimes::gateway::app
