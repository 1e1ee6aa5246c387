#include "directory/one_time_keys.hpp"

namespace nimes::gateway::directory {
namespace {

constexpr std::string_view kTaken = "h";  // highest id that was ever taken
constexpr std::size_t kScan = 1'000;
constexpr std::size_t kLook = 8;  // put() leaves no other batch's rows before those of the newest

store::Partition partition_of(const DeviceId& device) {
    return {store::Family::directory, "t" + std::string(as_text(device.view()))};
}
std::string row_key(std::uint32_t key_id) { return "k" + store::key_u64(key_id); }
const std::string kRowsEnd = "l";

}  // namespace

Result<void> OneTimeKeys::put(const DeviceId& device, std::uint32_t batch_no, std::span<const SealKey> keys) {
    if (keys.size() > kInUpload) return fail(Errc::too_large, "at most 100 one-time keys");
    const std::lock_guard lock(mutex_);
    const auto where = partition_of(device);
    auto taken = store_.get(where, kTaken);
    if (!taken) return pass(taken);
    const auto before = *taken ? Reader(**taken).u32() : 0u;
    auto highest = before;
    auto rows = store_.scan(where, row_key(0), kRowsEnd, kScan);
    if (!rows) return pass(rows);
    store::Batch batch(where);
    std::size_t held = 0;
    for (const auto& row : *rows) {
        const auto key = SealKey::parse(row.value);
        if (key && key->batch_no == batch_no) ++held;
        else batch.erase(row.key);
    }
    for (const auto& key : keys) {
        if (key.key_id <= before) continue;  // an upload that is repeated: it may have been handed out since
        if (key.key_id <= highest) return fail(Errc::malformed, "one-time keys with rising key ids");
        highest = key.key_id;
        batch.put(row_key(key.key_id), key.encode());
        ++held;
    }
    if (held > kHeld) return fail(Errc::too_large, "more one-time keys than are kept of a device");
    if (highest > before) batch.put(std::string(kTaken), std::move(Writer().u32(highest)).take());
    if (batch.writes.empty()) return {};
    return store_.commit(batch, store::Sync::yes);
}

Result<std::optional<SealKey>> OneTimeKeys::first(const DeviceId& device, std::uint32_t batch_no) {
    auto rows = store_.scan(partition_of(device), row_key(0), kRowsEnd, kLook);
    if (!rows) return pass(rows);
    const auto now = clock_.now();
    for (const auto& row : *rows) {
        const auto key = SealKey::parse(row.value);
        if (key && key->batch_no == batch_no && now < key->not_after) return std::optional(*key);
    }
    return std::optional<SealKey>{};
}

bool OneTimeKeys::allowed(const UserId& asker, const DeviceId& device) {
    const auto hour = clock_.now() / kHour;
    if (hour != hour_) counts_.clear();
    hour_ = hour;
    auto& counts = counts_[asker];
    return counts.all < kInHour && counts.of[device] < kOfDeviceInHour;
}

Result<std::map<DeviceId, Bytes>> OneTimeKeys::hand_out(const UserId& asker, std::span<const Wanted> wanted) {
    if (wanted.size() > kDevicesInAnswer) return fail(Errc::too_large, "one-time keys of at most 32 devices");
    const std::lock_guard lock(mutex_);
    std::map<DeviceId, Bytes> out;
    std::vector<store::Batch> batches;
    for (const auto& [device, batch_no] : wanted) {
        if (out.contains(device) || !allowed(asker, device)) continue;
        auto key = first(device, batch_no);
        if (!key) return pass(key);
        if (!*key) continue;
        batches.emplace_back(partition_of(device)).erase(row_key((*key)->key_id));
        out[device] = (*key)->encode();
        ++counts_[asker].all;
        ++counts_[asker].of[device];
    }
    if (batches.empty()) return out;
    // On disk before anybody sees them: what a crash takes now is lost, never given twice.
    if (auto ok = store_.commit(batches, store::Sync::yes); !ok) return pass(ok);
    return out;
}

Result<std::size_t> OneTimeKeys::left(const DeviceId& device, std::uint32_t batch_no) {
    auto rows = store_.scan(partition_of(device), row_key(0), kRowsEnd, kScan);
    if (!rows) return pass(rows);
    std::size_t out = 0;
    for (const auto& row : *rows)
        if (const auto key = SealKey::parse(row.value); key && key->batch_no == batch_no) ++out;
    return out;
}

Result<void> OneTimeKeys::drop(std::span<const DeviceId> devices) {
    const std::lock_guard lock(mutex_);
    for (const auto& device : devices)
        if (auto ok = store_.drop(partition_of(device)); !ok) return ok;
    return {};
}

Result<void> OneTimeKeys::drop_others(const std::set<DeviceId>& keep) {
    for (std::string from = "t";;) {
        auto names = store_.partitions(store::Family::directory, from, kScan);
        if (!names) return pass(names);
        for (const auto& name : *names) {
            if (name[0] != 't') return {};
            if (name.size() != 1 + DeviceId::size) continue;
            const auto device = DeviceId::from(as_bytes(name).subspan(1));
            if (keep.contains(device)) continue;
            if (auto ok = drop(std::span(&device, 1)); !ok) return ok;
        }
        if (names->size() < kScan) return {};
        from = names->back() + '\0';
    }
}

}  // namespace nimes::gateway::directory
