// When a device is woken: at once the first time, then at most once a minute, ever more seldom while it does not come.
//
//   pacer.waits(device, now)       its mailbox grew, and it is not here
//   while (auto device = pacer.next(now)) …post…; pacer.rang(*device, ok, now)
//   pacer.came(device, now)        it is here
//
// Ten growths while one wake-up is due are one wake-up. A failed one is tried again. Bounded: a device beyond
// max_devices is not taken, and its next growth asks again. Pure; threads: one.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::wake {

class Pacer {
  public:
    struct Limits {
        Millis least = kMinute;  // between two wake-ups of a device, whatever happens
        Millis most = kHour;
        std::size_t max_devices = 100'000;
        unsigned tries = 5;  // failures of one wake-up in a row, then the next growth begins anew
    };
    explicit Pacer(Limits limits) : limits_(limits) {}

    // False: no room for it.
    bool waits(const DeviceId& device, Millis now);
    void came(const DeviceId& device, Millis now);
    // Due now, and from here on being woken until rang().
    std::optional<DeviceId> next(Millis now);
    void rang(const DeviceId& device, bool ok, Millis now);
    // When next() will have something; nullopt: not before waits().
    [[nodiscard]] std::optional<Millis> next_at() const;
    [[nodiscard]] std::size_t devices() const { return devices_.size(); }

  private:
    struct State {
        bool wanted = false;
        bool ringing = false;
        unsigned unheard = 0;  // wake-ups since it was here
        unsigned failures = 0;
        Millis not_before = 0;
    };
    void queue(const DeviceId& device, const State& state);
    void forget_old(Millis now);

    Limits limits_;
    std::unordered_map<DeviceId, State> devices_;
    std::set<std::pair<Millis, DeviceId>> due_;
    Millis next_forget_ = 0;
};

}  // namespace nimes::gateway::wake
