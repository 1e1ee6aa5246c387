// Seal keys: what devices publish, and one-time keys beside the answer of a look-up.
#include <algorithm>

#include "directory/impl.hpp"

namespace nimes::gateway::directory {
namespace {

// Of one device and one batch, with ids that rise.
Result<std::vector<SealKey>> parse_keys(std::span<const Bytes> keys, SealKeyKind kind, const DeviceCert& cert,
                                        Millis now) {
    std::vector<SealKey> out;
    for (const auto& bytes : keys) {
        const auto key = SealKey::parse(bytes);
        if (!key) return fail(key.error().code, key.error().detail);
        if (key->kind != kind || key->device != cert.device)
            return fail(Errc::malformed, "a seal key of another kind or device");
        if (auto ok = check_seal_key(*key, cert.identity, now); !ok) return pass(ok);
        if (!out.empty() && (key->batch_no != out.back().batch_no || key->key_id <= out.back().key_id))
            return fail(Errc::malformed, "one batch, with rising key ids");
        out.push_back(*key);
    }
    return out;
}

store::Batch day_keys(const UserId& user, const DeviceId& device, const std::vector<SealKey>& keys) {
    store::Batch out(user_partition(user));
    out.erase_range(seal_key_key(device, 0), seal_key_key(device, ~std::uint32_t{0}));
    for (const auto& key : keys) out.put(seal_key_key(device, utc_day(key.not_before)), key.encode());
    out.put(batch_key(device), std::move(Writer().u32(keys[0].batch_no)).take());
    return out;
}

}  // namespace

Result<void> Directory::put_seal_keys(const DeviceId& device, std::span<const Bytes> keys,
                                      std::span<const Bytes> one_time) {
    if (keys.size() > SealKey::kDaysInBatch || one_time.size() > OneTimeKeys::kInUpload)
        return fail(Errc::too_large, "a batch has 1 to 32 keys, and at most 100 one-time keys");
    if (keys.empty() && one_time.empty()) return fail(Errc::malformed, "no seal keys");
    const std::lock_guard lock(impl_->mutex);
    auto* user = impl_->state.user_of(device);
    if (user == nullptr) return fail(Errc::device_unknown);
    if (user->entry.revoke(device) != nullptr) return fail(Errc::device_revoked);
    const auto& cert = *user->entry.cert(device);
    auto days = parse_keys(keys, SealKeyKind::day, cert, impl_->clock.now());
    if (!days) return pass(days);
    auto once = parse_keys(one_time, SealKeyKind::one_time, cert, impl_->clock.now());
    if (!once) return pass(once);
    auto& held = user->devices[device].seal_batch;
    const auto batch_no = days->empty() ? held : days->front().batch_no;
    if (batch_no < held) return fail(Errc::malformed, "an older batch than the one held");
    if (!once->empty() && once->front().batch_no != batch_no)
        return fail(Errc::malformed, "one-time keys of another batch");
    if (!days->empty()) {
        if (auto ok = impl_->store.commit(day_keys(cert.user, device, *days), store::Sync::yes); !ok) return ok;
        held = batch_no;
    }
    return impl_->one_time.put(device, batch_no, *once);
}

Result<v1::LookupAnswer> Directory::lookup_for(const DeviceId& asker, const v1::LookupRequest& request) {
    if (static_cast<std::size_t>(request.one_time_for_size()) > OneTimeKeys::kDevicesInAnswer)
        return fail(Errc::too_large, "one-time keys of at most 32 devices");
    auto out = lookup(request);
    if (!out) return out;
    const auto& asked = request.one_time_for();
    std::map<DeviceId, v1::DeviceInfo*> shown;
    std::vector<OneTimeKeys::Wanted> wanted;
    for (auto& entry : *out->mutable_entries())
        for (auto& info : *entry.mutable_devices()) {
            const auto device = DeviceId::from(as_bytes(info.device()));
            if (device == asker) {
                auto left = impl_->one_time.left(device, seal_batch(device));
                if (!left) return pass(left);
                info.set_one_time_left(static_cast<std::uint32_t>(*left));
            } else if (std::find(asked.begin(), asked.end(), info.device()) != asked.end()) {
                shown[device] = &info;
                wanted.push_back({device, seal_batch(device)});
            }
        }
    if (wanted.empty()) return out;
    auto user = admit(asker);
    if (!user) return pass(user);
    auto keys = impl_->one_time.hand_out(*user, wanted);
    if (!keys) return pass(keys);
    for (const auto& [device, key] : *keys) shown.at(device)->set_one_time_key(std::string(as_text(key)));
    return out;
}

}  // namespace nimes::gateway::directory
