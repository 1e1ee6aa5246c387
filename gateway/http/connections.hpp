// Which connections there are, and which devices speak on them. Private to this room.
//
// Threads: any. The race that matters: a device is revoked while its request is being authorised. So a connection is
// entered under the device first, and if a cut happened since authorising began, it authorises again (epoch()).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "nimes/ids.hpp"

namespace nimes::gateway::http {

class Connection;

class Connections {
  public:
    void add(const std::shared_ptr<Connection>& connection);
    void remove(const Connection& connection);
    // Enters the connection under the device, once.
    void speaks(Connection& connection, const DeviceId& device);

    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    std::size_t cut(const DeviceId& device);

    [[nodiscard]] std::size_t size() const;
    void end_all(bool only_idle);
    // False when some are left after the time.
    bool wait_until_empty(std::chrono::milliseconds limit);

  private:
    struct Known {
        std::weak_ptr<Connection> connection;
        std::vector<DeviceId> devices;
    };
    mutable std::mutex mutex_;
    std::condition_variable gone_;
    std::unordered_map<const Connection*, Known> known_;
    std::unordered_multimap<DeviceId, const Connection*> by_device_;
    std::atomic<std::uint64_t> epoch_ = 0;
};

}  // namespace nimes::gateway::http
