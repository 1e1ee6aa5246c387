#include "shares/shares.hpp"

namespace nimes::gateway::shares {
namespace {

constexpr const char* kKey = "s";

store::Partition of(const DeviceId& device) {
    return {store::Family::directory, "share" + std::string(as_text(device.view()))};
}

Result<std::optional<Share>> read(store::Store& store, const DeviceId& device) {
    auto value = store.get(of(device), kKey);
    if (!value) return pass(value);
    if (!*value) return std::optional<Share>();
    Reader in(**value);
    const auto number = in.u32();
    Share out{number, Secret<32>(in.take(32))};
    sodium_memzero((*value)->data(), (*value)->size());
    if (!in.done()) return fail(Errc::storage, "a stored share");
    return std::optional(std::move(out));
}

}  // namespace

Result<void> Shares::put(const DeviceId& device, const Share& share) {
    if (share.number == 0) return fail(Errc::malformed, "shares count from 1");
    if (auto ok = devices_.admit(device); !ok) return ok;
    auto there = read(store_, device);
    if (!there) return pass(there);
    if (*there && (*there)->number > share.number) return fail(Errc::storage_conflict, "a newer share is here");
    auto value = std::move(Writer().u32(share.number).bytes(share.bytes.view())).take();
    store::Batch batch(of(device));
    batch.put(kKey, value);
    sodium_memzero(value.data(), value.size());
    if (auto done = store_.commit(batch, store::Sync::yes); !done) return done;
    // Revoked meanwhile: the deletion may have come before this.
    auto still = devices_.admit(device);
    if (still || still.error().code != Errc::device_revoked) return {};
    if (auto gone = erase(device); !gone) return gone;
    return still;
}

Result<Share> Shares::get(const DeviceId& device) {
    if (auto ok = devices_.admit(device); !ok) return pass(ok);
    auto there = read(store_, device);
    if (!there) return pass(there);
    if (!*there) return fail(Errc::not_found, "no share of this device is here");
    return std::move(**there);
}

// Looks first: each start comes by for every device that was ever revoked.
Result<void> Shares::erase(const DeviceId& device) {
    auto there = store_.get(of(device), kKey);
    if (!there) return pass(there);
    if (!*there) return {};
    sodium_memzero((*there)->data(), (*there)->size());
    store::Batch batch(of(device));
    batch.erase(kKey);
    return store_.commit(batch, store::Sync::yes);
}

}  // namespace nimes::gateway::shares
