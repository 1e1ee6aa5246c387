// The store's twin in memory: for tests, and the reference that the RocksDB implementation is held against.
//
// Durable for as long as the object lives. Threads: one mutex; every call may come from any thread.
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
    std::mutex mutex_;
    std::map<Partition, Keys> partitions_;
};

}  // namespace nimes::gateway::store
