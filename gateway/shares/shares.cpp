#include "shares/shares.hpp"

namespace nimes::gateway::shares {
namespace {

constexpr const char* kKey = "s";
constexpr std::string_view kPrefix = "share";
constexpr std::size_t kAtOnce = 1'000;

store::Partition of(const DeviceId& device) {
    return {store::Family::directory, std::string(kPrefix) + std::string(as_text(device.view()))};
}

// Under which key all are sealed.
const store::Partition kAll{store::Family::directory, "shares"};
constexpr const char* kSealedUnder = "k";  // keyid8
constexpr const char* kCompact = "c";      // what they were before is still to go from the files
constexpr std::string_view kBehind = "sharf";

}  // namespace

Result<bool> Shares::sealed(store::Store& store) {
    auto under = store.get(kAll, kSealedUnder);
    if (!under) return pass(under);
    return under->has_value();
}

Result<std::optional<Share>> Shares::read(const DeviceId& device) {
    auto value = store_.get(of(device), kKey);
    if (!value) return pass(value);
    if (!*value) return std::optional<Share>();
    auto share = seal_.open(device, **value);
    if (!share) return pass(share);
    return std::optional(std::move(*share));
}

Result<std::optional<store::Batch>> Shares::sealed_anew(const DeviceId& device) {
    auto value = store_.get(of(device), kKey);
    if (!value) return pass(value);
    if (!*value || seal_.current(**value)) return std::optional<store::Batch>();
    auto share = Seal::unsealed(**value);
    sodium_memzero((*value)->data(), share ? (*value)->size() : 0);
    if (!share) {
        auto opened = seal_.open(device, **value);
        if (!opened)
            return fail(
                Errc::bad_config,
                "shares of handsets are sealed under another key than keys/shares.key: put that one back, or name it "
                "keys/shares-old.key");
        share = std::move(*opened);
    }
    store::Batch batch(of(device));
    batch.put(kKey, seal_.seal(device, *share));
    return std::optional(std::move(batch));
}

// The compaction that the last start asked for may have been cut off by its end.
Result<void> Shares::compact_again() {
    auto asked = store_.get(kAll, kCompact);
    if (!asked) return pass(asked);
    if (!*asked) return {};
    store_.reclaim(store::Family::directory, kPrefix, kBehind);
    store::Batch done(kAll);
    done.erase(kCompact);
    return store_.commit(done, store::Sync::yes);
}

Result<std::size_t> Shares::prepare() {
    const auto id = seal_.id();
    auto under = store_.get(kAll, kSealedUnder);
    if (!under) return pass(under);
    if (*under && KeyId::from(**under) == id) {
        if (auto ok = compact_again(); !ok) return pass(ok);
        return std::size_t{0};
    }
    std::size_t out = 0;
    for (std::string from(kPrefix);;) {
        auto names = store_.partitions(store::Family::directory, from, kAtOnce);
        if (!names) return pass(names);
        std::vector<store::Batch> batches;
        for (const auto& name : *names) {
            if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + DeviceId::size) continue;
            auto anew = sealed_anew(DeviceId::from(as_bytes(name).subspan(kPrefix.size())));
            if (!anew) return pass(anew);
            if (*anew) batches.push_back(std::move(**anew));
        }
        if (auto ok = store_.commit(batches, store::Sync::yes); !ok) return pass(ok);
        out += batches.size();
        if (names->size() < kAtOnce || !names->back().starts_with(kPrefix)) break;
        from = names->back() + '\0';
    }
    // Only then the mark: a crash before it does all of this once more.
    store_.reclaim(store::Family::directory, kPrefix, kBehind);
    store::Batch mark(kAll);
    mark.put(kSealedUnder, id.view()).put(kCompact, {});
    if (auto ok = store_.commit(mark, store::Sync::yes); !ok) return pass(ok);
    return out;
}

Result<void> Shares::put(const DeviceId& device, const Share& share) {
    if (share.number == 0) return fail(Errc::malformed, "shares count from 1");
    if (auto ok = devices_.admit(device); !ok) return ok;
    auto there = read(device);
    if (!there) return pass(there);
    if (*there && (*there)->number > share.number) return fail(Errc::storage_conflict, "a newer share is here");
    store::Batch batch(of(device));
    batch.put(kKey, seal_.seal(device, share));
    if (auto done = store_.commit(batch, store::Sync::yes); !done) return done;
    // Revoked meanwhile: the deletion may have come before this.
    auto still = devices_.admit(device);
    if (still || still.error().code != Errc::device_revoked) return {};
    if (auto gone = erase(device); !gone) return gone;
    return still;
}

Result<Share> Shares::get(const DeviceId& device) {
    if (auto ok = devices_.admit(device); !ok) return pass(ok);
    auto there = read(device);
    if (!there) return pass(there);
    if (!*there) return fail(Errc::not_found, "no share of this device is here");
    return std::move(**there);
}

// Looks first: each start comes by for every device that was ever revoked.
Result<void> Shares::erase(std::span<const DeviceId> devices) {
    std::vector<store::Batch> batches;
    for (const auto& device : devices) {
        auto there = store_.get(of(device), kKey);
        if (!there) return pass(there);
        if (*there) batches.emplace_back(of(device)).erase(kKey);
    }
    if (batches.empty()) return {};
    return store_.commit(batches, store::Sync::yes);
}

}  // namespace nimes::gateway::shares
