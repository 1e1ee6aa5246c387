#include "wake/endpoints.hpp"

namespace nimes::gateway::wake {
namespace {

constexpr unsigned kChangesInHour = 10;
constexpr std::size_t kScan = 1'000;
const store::Partition kPartition{store::Family::enrolment, "wake"};

std::string key_of(const DeviceId& device) { return std::string(as_text(device.view())); }

}  // namespace

Result<void> Endpoints::load() {
    const std::lock_guard lock(mutex_);
    for (std::string from;;) {
        auto rows = store_.scan(kPartition, from, {}, kScan);
        if (!rows) return pass(rows);
        for (const auto& row : *rows)
            if (row.key.size() == DeviceId::size)
                urls_[DeviceId::from(as_bytes(row.key))] = std::string(as_text(row.value));
        if (rows->size() < kScan) return {};
        from = rows->back().key + '\0';
    }
}

bool Endpoints::allowed(const DeviceId& device) {
    const auto hour = clock_.boot() / kHour;
    if (hour != hour_) changes_.clear();
    hour_ = hour;
    return ++changes_[device] <= kChangesInHour;
}

Result<void> Endpoints::put(const DeviceId& device, const std::string& url) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto at = urls_.find(device); at != urls_.end() && at->second == url) return {};
        if (!allowed(device)) return fail(Errc::rate_limited, "ten changes of the endpoint in an hour");
        if (!url.empty()) {
            store::Batch batch(kPartition);
            batch.put(key_of(device), as_bytes(url));
            if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return ok;
            urls_[device] = url;
            return {};
        }
    }
    return erase(device);
}

Result<void> Endpoints::erase(const DeviceId& device, const std::optional<std::string>& only) {
    const std::lock_guard lock(mutex_);
    const auto at = urls_.find(device);
    if (at == urls_.end() || (only && at->second != *only)) return {};
    store::Batch batch(kPartition);
    batch.erase(key_of(device));
    if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return ok;
    urls_.erase(at);
    return {};
}

Result<void> Endpoints::erase_all(std::span<const DeviceId> devices) {
    const std::lock_guard lock(mutex_);
    store::Batch batch(kPartition);
    for (const auto& device : devices)
        if (urls_.contains(device)) batch.erase(key_of(device));
    if (batch.writes.empty()) return {};
    if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return ok;
    for (const auto& device : devices) urls_.erase(device);
    return {};
}

std::optional<std::string> Endpoints::of(const DeviceId& device) const {
    const std::lock_guard lock(mutex_);
    const auto at = urls_.find(device);
    return at == urls_.end() ? std::nullopt : std::optional(at->second);
}

std::size_t Endpoints::size() const {
    const std::lock_guard lock(mutex_);
    return urls_.size();
}

}  // namespace nimes::gateway::wake
