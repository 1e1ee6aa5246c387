#include "sealing/one_time_pool.hpp"

#include "sealing/seal_key_rules.hpp"

namespace nimes::agent::sealing {

Result<void> OneTimePool::put(const SealKey& key, const DeviceId& device, const PublicKey& identity,
                              std::uint32_t batch_floor, Millis now) {
    if (key.kind != SealKeyKind::one_time || key.device != device)
        return fail(Errc::malformed, "not a one-time key of this device");
    if (auto ok = check_seal_key(key, identity, now); !ok) return ok;
    if (key.batch_no < batch_floor) return fail(Errc::malformed, "a one-time key of a batch that was replaced");
    if (const auto used = used_.find(device); used != used_.end() && key.key_id <= used->second)
        return fail(Errc::malformed, "a one-time key that was used");
    fetched_[device] = {key, now};
    return {};
}

const OneTimePool::Fetched* OneTimePool::usable(const DeviceId& device, std::uint32_t batch_floor, Millis now) const {
    const auto at = fetched_.find(device);
    if (at == fetched_.end()) return nullptr;
    const auto& [key, fetched] = at->second;
    const bool fresh = now <= fetched + kFetchedKeyLife && key.not_before <= now && now < key.not_after;
    return fresh && key.batch_no >= batch_floor ? &at->second : nullptr;
}

bool OneTimePool::holds(const DeviceId& device, std::uint32_t batch_floor, Millis now) const {
    return usable(device, batch_floor, now) != nullptr;
}

std::optional<SealKey> OneTimePool::take(const DeviceId& device, std::uint32_t batch_floor, Millis now) {
    std::optional<SealKey> out;
    if (const auto* found = usable(device, batch_floor, now); found != nullptr) {
        out = found->key;
        used_[device] = found->key.key_id;
    }
    fetched_.erase(device);
    return out;
}

}  // namespace nimes::agent::sealing
