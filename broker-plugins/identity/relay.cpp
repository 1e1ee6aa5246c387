#include "identity/relay.hpp"

#include <algorithm>

namespace nimes::plugin {

bool Relay::has_room(const DeviceId& device, std::size_t size) {
    if (bytes_ + size > limit_) return false;
    if (batches_.size() <= kWindow) {
        shares_.clear();
        return true;
    }
    auto& share = shares_[device];
    if (share + size > limit_ / kShares) return false;
    share += size;
    return true;
}

bool Relay::take(const DeviceId& device, ByteView packet) {
    const auto size = packet.size() + DevicePacket::kOverhead;
    if (!has_room(device, size)) {
        ++dropped_;
        return false;
    }
    const bool open =
        !batches_.empty() && batches_.back().number == 0 && batches_.back().bytes.size() + size <= UpBatch::kFull;
    if (!open) {
        batches_.push_back({UpBatch::begin(), 0, 0, false});
        bytes_ += UpBatch::kHeader;
    }
    append_packet(batches_.back().bytes, device, packet);
    bytes_ += size;
    return true;
}

void Relay::gateway_went(const void* connection) {
    if (gateways_.erase(connection) == 0) return;
    for (auto& batch : batches_) batch.under_way = false;
    under_way_ = 0;
}

void Relay::done(std::uint64_t number) {
    const auto at = std::find_if(batches_.begin(), batches_.end(), [&](const auto& b) { return b.number == number; });
    if (number == 0 || at == batches_.end()) return;
    if (at->under_way) --under_way_;
    bytes_ -= at->bytes.size();
    batches_.erase(at);
}

const Bytes* Relay::next(Millis boot) {
    if (gateways_.empty()) return nullptr;
    for (auto& batch : batches_) {
        const bool again = batch.under_way && boot >= batch.sent + kRepeat;
        if (batch.under_way && !again) continue;
        if (!again && under_way_ >= kWindow) return nullptr;
        if (!again) ++under_way_;
        batch.under_way = true;
        batch.sent = boot;
        if (batch.number == 0) batch.number = next_number_++;
        UpBatch::seal(batch.bytes, batch.number, dropped_, bytes_ - batch.bytes.size());
        return &batch.bytes;
    }
    return nullptr;
}

}  // namespace nimes::plugin
