#include "store/rocksdb_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace nimes::gateway::store {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

rocksdb::ColumnFamilyOptions small_records(const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::ColumnFamilyOptions out;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // dedupe asks mostly for keys that are not there
    out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    // The same question to what was written last.
    out.memtable_prefix_bloom_size_ratio = 0.05;
    out.memtable_whole_key_filtering = true;
    out.write_buffer_size = 16 * kMiB;
    return out;
}

rocksdb::ColumnFamilyOptions media_blocks(const std::shared_ptr<rocksdb::Cache>& cache) {
    auto out = small_records(cache);
    // Sealed media do not compress; a value this large moved by every compaction would be written four to five times.
    out.compression = rocksdb::kNoCompression;
    out.enable_blob_files = true;
    out.min_blob_size = 16 * 1024;
    // One blob file a flush. While one buffer is on its way to disk the other takes what comes; larger or more of them
    // cost memory (64 uploads at once: 95 MiB with three of 16, 70 with two of 8).
    out.write_buffer_size = 8 * kMiB;
    out.max_write_buffer_number = 2;
    out.blob_file_size = 64 * kMiB;
    // What is left of the LSM tree is about 60 bytes a block: merging it late costs reads nothing and saves moves.
    out.level0_file_num_compaction_trigger = 16;
    out.level0_slowdown_writes_trigger = 128;
    out.level0_stop_writes_trigger = 256;
    // Off by default, and then nothing is ever given back. Compactions of daily work meet only young files, which they
    // shall leave alone; what ends is collected by reclaim(), where it can be seen how much of a file is garbage.
    out.enable_blob_garbage_collection = true;
    out.blob_garbage_collection_age_cutoff = 0.1;
    out.blob_garbage_collection_force_threshold = 0.5;
    // A crash between the end of media and their reclaim() is made up for in a day.
    out.periodic_compaction_seconds = 24 * 60 * 60;
    return out;
}

}  // namespace

rocksdb::DBOptions database_options() {
    rocksdb::DBOptions out;
    out.create_if_missing = true;
    out.create_missing_column_families = true;
    // A torn tail of the log is what a crash leaves: keep everything before it. (The default stops at a hole as well.)
    out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    // A family that is rarely written would keep old logs alive without end.
    out.max_total_wal_size = 256 * kMiB;
    // What a sync would wait for is on its way already.
    out.wal_bytes_per_sync = kMiB;
    out.bytes_per_sync = kMiB;
    // The default of 1 MB would let only four blocks of 256 KiB share one sync.
    out.max_write_batch_group_size_bytes = 8 * kMiB;
    // After an error of the disk the store is opened anew (rocksdb_engine.hpp); RocksDB must not try its own way
    // beside. (This covers all errors but that of a full disk, which the engine forbids by a listener.)
    out.max_bgerror_resume_count = 0;
    out.max_background_jobs = 2;
    out.max_open_files = 1024;
    out.keep_log_file_num = 1;  // LOG.old.<time> of earlier versions go; ours is rocksdb_log.hpp
    return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families(const RocksOptions& options) {
    const auto cache = rocksdb::NewLRUCache(static_cast<std::size_t>(options.block_cache_bytes));
    std::vector<rocksdb::ColumnFamilyDescriptor> out;
    out.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i) {
        const bool blobs = static_cast<Family>(i) == Family::media_blocks;
        out.emplace_back(kFamilyNames[i], blobs ? media_blocks(cache) : small_records(cache));
    }
    return out;
}

}  // namespace nimes::gateway::store
