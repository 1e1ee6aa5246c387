// The store in memory: the twin that tests run rooms on. Keeps nothing when it dies; a sync is a promise it cannot
// keep.
//
// Threads: one lock for all; every call from any thread. Errors: conflicts and limits as the contract says, no others.
#pragma once

#include <map>
#include <mutex>

#include "store/store.hpp"

namespace nimes::gateway::store {

class MemoryStore final : public Store {
  public:
    using Store::commit;
    Result<void> commit(std::span<const Batch> batches, Sync sync) override;
    Result<std::optional<Bytes>> get(const Partition& partition, std::string_view key) override;
    Result<std::vector<Record>> scan(const Partition& partition, std::string_view from, std::string_view until,
                                     std::size_t limit) override;
    Result<std::optional<Record>> last(const Partition& partition, std::string_view from,
                                       std::string_view until) override;
    Result<std::vector<std::string>> partitions(Family family, std::string_view from, std::size_t limit) override;
    Result<void> drop(const Partition& partition) override;
    Result<void> check() override { return {}; }

  private:
    using Keys = std::map<std::string, Bytes, std::less<>>;
    struct ByLayout {
        bool operator()(const Partition& a, const Partition& b) const;
    };
    void apply(const Batch& batch);
    const Keys& keys(const Partition& partition) const;

    mutable std::mutex mutex_;
    std::map<Partition, Keys, ByLayout> partitions_;  // holds no empty partition
};

}  // namespace nimes::gateway::store
