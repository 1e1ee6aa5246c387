// Packets of devices on their way to the gateway: gathered into batches, held while it is away or slow, sent again
// until it says that they are done. (Message, step 3, second half. Before: acl.cpp. Next: the gateway's link.)
//
// At most kWindow batches are under way; what stands behind them is bounded in bytes, and when that bound is reached
// new packets are dropped and counted: their senders get no Accepted and repeat. While there is a backlog a device has
// a share of it and no more, so that one that floods cannot crowd out the others. A batch is handed out again when a
// gateway went away with it, or said nothing for kRepeat: the gateway knows messages it has seen.
// A state machine without I/O. Broker thread only. Errors: none.
#pragma once

#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "nimes/batch.hpp"
#include "nimes/time.hpp"

namespace nimes::plugin {

class Relay {
  public:
    static constexpr std::size_t kWindow = 32;
    static constexpr std::size_t kShares = 64;  // of the backlog: a device may fill one
    static constexpr Millis kRepeat = 5 * kSecond;

    // Batches are numbered from the plugin's start, so that numbers rise across restarts of the broker too.
    Relay(std::size_t limit_bytes, Millis started) : limit_(limit_bytes), next_number_((started << 12) + 1) {}

    // False when there is no room for it: dropped, and counted.
    bool take(const DeviceId& device, ByteView packet);
    void gateway_came(const void* connection) { gateways_.insert(connection); }
    void gateway_went(const void* connection);
    void done(std::uint64_t number);
    // The next batch to publish; nullptr when none may go now. Valid until the next call of anything here.
    const Bytes* next(Millis boot);

    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    [[nodiscard]] std::size_t held_bytes() const { return bytes_; }

  private:
    struct Batch {
        Bytes bytes;
        std::uint64_t number = 0;
        Millis sent = 0;
        bool under_way = false;
    };
    [[nodiscard]] bool has_room(const DeviceId& device, std::size_t size);

    const std::size_t limit_;
    std::uint64_t next_number_;
    std::deque<Batch> batches_;  // oldest first: those under way, then those that wait
    std::size_t under_way_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::unordered_map<DeviceId, std::size_t> shares_;  // of this backlog
    std::unordered_set<const void*> gateways_;
};

}  // namespace nimes::plugin
