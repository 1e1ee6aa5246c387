#include "store/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace nimes::gateway::store {
namespace {

// The half-open range [from, until) of a map; an empty `until` means to the end.
template <class Map>
auto range(Map& keys, std::string_view from, std::string_view until) {
    const auto begin = keys.lower_bound(from);
    const auto end = until.empty() ? keys.end() : keys.lower_bound(until);
    return std::pair(begin, !until.empty() && until <= from ? begin : end);
}

}  // namespace

bool MemoryStore::ByLayout::operator()(const Partition& a, const Partition& b) const {
    return std::tuple(a.family, a.name.size(), std::string_view(a.name)) <
           std::tuple(b.family, b.name.size(), std::string_view(b.name));
}

const MemoryStore::Keys& MemoryStore::keys(const Partition& partition) const {
    static const Keys kNone;
    const auto at = partitions_.find(partition);
    return at == partitions_.end() ? kNone : at->second;
}

Result<void> MemoryStore::commit(std::span<const Batch> batches, Sync) {
    for (const auto& batch : batches)
        if (auto fits = check_limits(batch); !fits) return fits;
    const std::lock_guard lock(mutex_);
    for (const auto& batch : batches) {
        const auto& held = keys(batch.partition);
        const auto holds = [&](const Batch::Expectation& e) {
            const auto at = held.find(e.key);
            return at == held.end() ? !e.value : e.value == at->second;
        };
        if (!std::ranges::all_of(batch.expectations, holds)) return fail(Errc::storage_conflict);
        apply(batch);
    }
    return {};
}

void MemoryStore::apply(const Batch& batch) {
    auto& held = partitions_[batch.partition];
    for (const auto& write : batch.writes) {
        if (write.kind == Batch::Write::Kind::put) held[write.key] = write.value;
        else if (write.kind == Batch::Write::Kind::erase) held.erase(write.key);
        else {
            const auto [begin, end] = range(held, write.key, write.until);
            held.erase(begin, end);
        }
    }
    if (held.empty()) partitions_.erase(batch.partition);
}

Result<std::optional<Bytes>> MemoryStore::get(const Partition& partition, std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto& held = keys(partition);
    const auto at = held.find(key);
    return at == held.end() ? std::nullopt : std::optional(at->second);
}

Result<std::vector<Record>> MemoryStore::scan(const Partition& partition, std::string_view from, std::string_view until,
                                              std::size_t limit) {
    const std::lock_guard lock(mutex_);
    std::vector<Record> found;
    for (auto [at, end] = range(keys(partition), from, until); at != end && found.size() < limit; ++at)
        found.push_back({at->first, at->second});
    return found;
}

Result<std::optional<Record>> MemoryStore::last(const Partition& partition, std::string_view from,
                                                std::string_view until) {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = range(keys(partition), from, until);
    if (begin == end) return std::optional<Record>();
    const auto at = std::prev(end);
    return std::optional(Record{at->first, at->second});
}

Result<std::vector<std::string>> MemoryStore::partitions(Family family, std::string_view from, std::size_t limit) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (auto at = partitions_.lower_bound({family, std::string(from)});
         at != partitions_.end() && at->first.family == family && names.size() < limit; ++at)
        names.push_back(at->first.name);
    return names;
}

Result<void> MemoryStore::drop(const Partition& partition) {
    const std::lock_guard lock(mutex_);
    partitions_.erase(partition);
    return {};
}

}  // namespace nimes::gateway::store
