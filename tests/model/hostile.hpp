// What a server can do to the post: drop it, repeat it, change its order, replay it, hand it to somebody else, put
// parts of one thing into another, flip bits, lie about who sent it, invent events and devices.
#pragma once

#include "oracle.hpp"

namespace nimes::model {

class Hostile {
  public:
    Hostile(Server& server, Chance& chance, Oracle& oracle) : server_(server), chance_(chance), oracle_(oracle) {}
    // One act, at the post or the answers of this device.
    void act(Handset& at, std::vector<std::unique_ptr<Handset>>& all);
    std::map<std::string, std::uint64_t> done;

  private:
    std::optional<v1::Envelope> any(const DeviceId& device);
    void slip_in(const DeviceId& device, v1::Envelope envelope);
    void tamper(const DeviceId& at, const DeviceId& other);
    void forge_event(const DeviceId& at);

    Server& server_;
    Chance& chance_;
    Oracle& oracle_;
};

}  // namespace nimes::model
