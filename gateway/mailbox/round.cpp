#include "mailbox/round.hpp"

namespace nimes::gateway::mailbox {

void Round::send(const DeviceId& device, ByteView down) {
    if (down.size() >= kAlone) {
        if (const auto before = packets_.extract(device)) to_.send(device, before.mapped().take());
        return to_.send(device, down);
    }
    auto& packet = packets_[device];
    if (packet.add(down)) return;
    to_.send(device, packet.take());
    (void)packet.add(down);
}

void Round::flush() {
    for (auto& [device, packet] : packets_) to_.send(device, packet.take());
    packets_.clear();
    to_.flush();
}

}  // namespace nimes::gateway::mailbox
