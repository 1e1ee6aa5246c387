// The store on RocksDB 7.8: the embedded default, one process, one folder (LAYOUT.md).
//
// All batches of one commit are one write and one sync; commits of several threads share a sync (RocksDB's write
// group). An expectation holds a lock on its partition from the look to the write; partitions share 1,024 such locks.
// Threads: as the contract says. Ownership: the store holds the folder's lock until it is destroyed.
// Errors of open: Errc::storage (not there, damaged, in use by another process), Errc::unknown_version.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "store/store.hpp"

namespace nimes::gateway::store {

struct RocksDbOptions {
    // Puts are refused while the disk has less than this: room for compaction, for the log and for erasing.
    std::uint64_t min_free_bytes = 2ULL << 30;
    std::size_t block_cache_bytes = 256ULL << 20;
    std::size_t blob_cache_bytes = 128ULL << 20;
    // Asked for the free bytes at each commit; empty: the file system of the folder.
    std::function<std::uint64_t()> free_bytes;
};

class RocksDbStore final : public Store {
  public:
    // Creates the folder if it is not there.
    static Result<std::unique_ptr<RocksDbStore>> open(const std::filesystem::path& folder, RocksDbOptions options = {});
    ~RocksDbStore() override;

    using Store::commit;
    Result<void> commit(std::span<const Batch> batches, Sync sync) override;
    Result<std::optional<Bytes>> get(const Partition& partition, std::string_view key) override;
    Result<std::vector<Record>> scan(const Partition& partition, std::string_view from, std::string_view until,
                                     std::size_t limit) override;
    Result<std::optional<Record>> last(const Partition& partition, std::string_view from,
                                       std::string_view until) override;
    Result<std::vector<std::string>> partitions(Family family, std::string_view from, std::size_t limit) override;
    Result<void> drop(const Partition& partition) override;
    // Also tries to bring back an engine that stopped writing after a failed write.
    Result<void> check() override;

    [[nodiscard]] std::uint64_t free_bytes() const;
    // Moves what is in memory into files, blobs into blob files. Correct without; for tests and before a backup.
    Result<void> flush();

  private:
    struct Impl;
    explicit RocksDbStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Every record of a store's folder, also while a gateway has it open: column by column, keys as stored (LAYOUT.md).
// What was committed before the call is seen. `visit` returning false ends it.
Result<void> visit_all(
    const std::filesystem::path& folder,
    const std::function<bool(std::string_view column, std::string_view key, std::string_view value)>& visit);

}  // namespace nimes::gateway::store
