// Message, step 6, delivery, second half: what one round of the mailroom says to each device, gathered into one packet,
// whatever it holds. (Before: delivery.cpp. Next: the gateway's link.)
//
// Twenty answers to one sender, or an answer and a delivery, cost one packet on the device's link and in the broker.
// In the order said, for each device. Used from the mailroom's thread only. Errors: none; `to` may lose packets.
#pragma once

#include <unordered_map>

#include "mailbox/answers.hpp"

namespace nimes::gateway::mailbox {

class Round final : public Outlet {
  public:
    // As large as a segment of TCP: it gains nothing by company, and what it holds would be shown later.
    static constexpr std::size_t kAlone = 1'400;

    explicit Round(Outlet& to) : to_(to) {}
    void send(const DeviceId& device, ByteView down) override;
    void done(std::size_t broker, std::uint64_t up_batch) override { to_.done(broker, up_batch); }
    void flush() override;

  private:
    Outlet& to_;
    std::unordered_map<DeviceId, BundlePacket> packets_;
};

}  // namespace nimes::gateway::mailbox
