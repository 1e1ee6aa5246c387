#include "store/memory_store.hpp"

#include <algorithm>

namespace nimes::gateway::store {
namespace {

template <class Keys>
auto end_of(Keys& keys, std::string_view until) {
    return until.empty() ? keys.end() : keys.lower_bound(until);
}

template <class Keys>
bool holds(const Keys& keys, const Batch::Expectation& e) {
    const auto at = keys.find(e.key);
    return e.value ? at != keys.end() && at->second == *e.value : at == keys.end();
}

template <class Keys>
void apply(Keys& keys, const Batch::Write& w) {
    switch (w.kind) {
        case Batch::Write::Kind::put:
            keys[w.key] = to_bytes(w.bytes());
            return;
        case Batch::Write::Kind::erase:
            keys.erase(w.key);
            return;
        case Batch::Write::Kind::erase_range:
            if (w.key < w.until) keys.erase(keys.lower_bound(w.key), keys.lower_bound(w.until));
            return;
    }
}

}  // namespace

Result<void> MemoryStore::commit(std::span<const Batch> batches, Sync) {
    const std::scoped_lock lock(mutex_);
    for (const auto& batch : batches) {
        auto& keys = partitions_[batch.partition];
        const bool fits = std::all_of(batch.expectations.begin(), batch.expectations.end(),
                                      [&](const auto& e) { return holds(keys, e); });
        if (fits)
            for (const auto& w : batch.writes) apply(keys, w);
        if (keys.empty()) partitions_.erase(batch.partition);
        if (!fits) return fail(Errc::storage_conflict);
    }
    return {};
}

Result<std::optional<Bytes>> MemoryStore::get(const Partition& partition, std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto p = partitions_.find(partition);
    if (p == partitions_.end()) return std::nullopt;
    const auto at = p->second.find(key);
    if (at == p->second.end()) return std::nullopt;
    return at->second;
}

Result<std::vector<Record>> MemoryStore::scan(const Partition& partition, std::string_view from, std::string_view until,
                                              std::size_t limit) {
    const std::scoped_lock lock(mutex_);
    std::vector<Record> out;
    const auto p = partitions_.find(partition);
    if (p == partitions_.end() || (!until.empty() && until <= from)) return out;
    const auto end = end_of(p->second, until);
    for (auto at = p->second.lower_bound(from); at != end && out.size() < limit; ++at)
        out.push_back({at->first, at->second});
    return out;
}

Result<std::optional<Record>> MemoryStore::last(const Partition& partition, std::string_view from,
                                                std::string_view until) {
    const std::scoped_lock lock(mutex_);
    const auto p = partitions_.find(partition);
    if (p == partitions_.end() || (!until.empty() && until <= from)) return std::nullopt;
    const auto end = end_of(p->second, until);
    if (end == p->second.lower_bound(from)) return std::nullopt;
    const auto at = std::prev(end);
    return Record{at->first, at->second};
}

Result<std::vector<std::string>> MemoryStore::partitions(Family family, std::string_view from, std::size_t limit) {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> out;
    for (auto at = partitions_.lower_bound({family, std::string(from)}); at != partitions_.end() && out.size() < limit;
         ++at) {
        if (at->first.family != family) break;
        out.push_back(at->first.name);
    }
    return out;
}

Result<void> MemoryStore::drop(const Partition& partition) {
    const std::scoped_lock lock(mutex_);
    partitions_.erase(partition);
    return {};
}

}  // namespace nimes::gateway::store
