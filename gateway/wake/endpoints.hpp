// Which device is woken where. In the store, and whole in memory (about 200 bytes a device).
//
// Threads: any. Errors: the store's; Errc::rate_limited after ten changes of one device in an hour.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "store/store.hpp"

namespace nimes::gateway::wake {

class Endpoints {
  public:
    Endpoints(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    Result<void> load();
    // On disk before it returns. `url` was checked. "": woken nowhere any more.
    Result<void> put(const DeviceId& device, const std::string& url);
    // The device is out for good, or its push service does not know the endpoint any more. Not while another one has
    // been registered meanwhile, when `only` names the one meant.
    Result<void> erase(const DeviceId& device, const std::optional<std::string>& only = std::nullopt);
    // Of devices that are out for good, in one commit.
    Result<void> erase_all(std::span<const DeviceId> devices);
    [[nodiscard]] std::optional<std::string> of(const DeviceId& device) const;
    [[nodiscard]] std::size_t size() const;

  private:
    bool allowed(const DeviceId& device);
    store::Store& store_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<DeviceId, std::string> urls_;
    std::unordered_map<DeviceId, unsigned> changes_;  // in this hour
    Millis hour_ = 0;
};

}  // namespace nimes::gateway::wake
