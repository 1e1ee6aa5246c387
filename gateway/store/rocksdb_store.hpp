// The embedded default: RocksDB 7.8, one column family a Family (LAYOUT.md beside this file).
//
// commit() writes all batches in one WriteBatch and, with Sync::yes, one sync of the log: whoever waits together pays
// once. Threads: every call may come from any thread; writers of one partition take turns. Ownership: the folder
// belongs to one process, a second open fails. Errors: as store.hpp; Errc::storage names RocksDB's own words, which
// hold no user data.
#pragma once

#include <filesystem>
#include <memory>

#include "store/store.hpp"

namespace rocksdb {
class FileSystem;
}

namespace nimes::gateway::store {

struct RocksOptions {
    // Below this many free bytes on the disk, puts are refused with Errc::disk_full; erasing still works.
    std::uint64_t floor_bytes = std::uint64_t{256} << 20;
    std::uint64_t block_cache_bytes = std::uint64_t{64} << 20;
    // Of the floor, held back in a file, so that erasing works on a disk that others have filled (room.hpp). It covers
    // what opening anew writes: what is in memory tables, of media at most 16 MiB. 0: nothing is held back.
    std::uint64_t reserve_bytes = 0;
    // What the files lie on; nullptr: the real file system. Tests hand in one that loses power.
    std::shared_ptr<rocksdb::FileSystem> files = {};
};

Result<std::unique_ptr<Store>> open_rocksdb(const std::filesystem::path& folder, const RocksOptions& options);

}  // namespace nimes::gateway::store
