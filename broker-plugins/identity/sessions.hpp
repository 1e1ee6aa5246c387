// The connections that were admitted and have not gone: who each is, whether it was announced, how fast it publishes.
//
// Keyed by the broker's own pointer, never by client id: when a device takes over its own session, the broker asks
// about the new connection before it ends the old one. Broker thread only.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "identity/admission.hpp"
#include "nimes/mirror.hpp"

namespace nimes::plugin {

class Sessions {
  public:
    // Connections are numbered from the plugin's start, so that the numbers rise across restarts of the broker too.
    Sessions(std::uint32_t rate_per_second, std::uint32_t burst, Millis started)
        : rate_(rate_per_second), burst_(burst), next_number_(started << 12) {}

    void admitted(const void* connection, const Who& who, Millis now);
    // nullptr for a connection that was never admitted.
    [[nodiscard]] const Who* who(const void* connection) const;
    // The first sign of life of a device's connection: its presence, to be told.
    std::optional<Presence> seen(const void* connection, Millis now);
    // Its end; a presence if it had been told.
    std::optional<Presence> gone(const void* connection, Millis now);
    // The presence of every device that is here: for a gateway that has just come.
    [[nodiscard]] std::vector<Presence> all(Millis now) const;
    // One packet of this connection; false when it goes beyond its rate.
    bool spend(const void* connection, Millis now);
    [[nodiscard]] bool connected(const DeviceId& device) const { return by_device_.contains(device); }
    [[nodiscard]] std::size_t devices() const { return by_device_.size(); }

  private:
    struct Session {
        Who who;
        std::uint64_t number = 0;
        bool told = false;
        double tokens = 0;
        Millis counted = 0;
    };
    const std::uint32_t rate_;
    const std::uint32_t burst_;
    std::unordered_map<const void*, Session> sessions_;
    std::unordered_multimap<DeviceId, const void*> by_device_;
    std::uint64_t next_number_;
};

}  // namespace nimes::plugin
