#include "store/rocksdb_settings.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace nimes::gateway::store {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

rocksdb::ColumnFamilyOptions small_records(const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::ColumnFamilyOptions out;
    // Seven columns of small records: 32 MiB each before a flush keeps memory bounded and files few.
    out.write_buffer_size = 32 * kMiB;
    // Nearly all values are ciphertext, hashes or signatures: nothing to gain, CPU to lose.
    out.compression = rocksdb::kNoCompression;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    // Most gets of the gateway ask for keys that are not there (is it a repeat? is the id taken?).
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return out;
}

rocksdb::ColumnFamilyOptions media_blocks(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t blob_cache_bytes) {
    auto out = small_records(cache);
    // Blocks of 256 KiB and last blocks stay out of the tree, so that compaction moves references of 100 bytes and not
    // the media: write amplification 2 (log, blob file) instead of 5 and more.
    out.enable_blob_files = true;
    out.min_blob_size = 16 * kKiB;
    // A blob file is made of one flush, so both have one size; four buffers let uploads go on while one is flushed.
    out.blob_file_size = 128 * kMiB;
    out.write_buffer_size = 128 * kMiB;
    out.max_write_buffer_number = 4;
    // A table of 2 MiB describes some 5 GiB of media. Small tables keep each compaction's set of blob files small.
    out.target_file_size_base = 2 * kMiB;
    out.max_bytes_for_level_base = 20 * kMiB;
    out.blob_compression_type = rocksdb::kNoCompression;
    // Off by default, and then the disk fills with dead blobs. The names of partitions begin with the time of creation,
    // so media of one day share blob files and die together: the older half is looked at, and a compaction is forced
    // once half of the oldest files is garbage. A threshold of 0 would compact an idle database for ever.
    out.enable_blob_garbage_collection = true;
    out.blob_garbage_collection_age_cutoff = 0.5;
    out.blob_garbage_collection_force_threshold = 0.5;
    // A table that nothing overwrites would keep its dead blobs; a day is short beside the retention of seven.
    out.periodic_compaction_seconds = 24 * 60 * 60;
    // One photo in a group is fetched by its many recipients within minutes of its upload.
    if (blob_cache_bytes > 0) {
        out.blob_cache = rocksdb::NewLRUCache(blob_cache_bytes);
        out.prepopulate_blob_cache = rocksdb::PrepopulateBlobCache::kFlushOnly;
    }
    return out;
}

std::string_view word(rocksdb::Status::Code code) {
    using Code = rocksdb::Status::Code;
    switch (code) {
        case Code::kCorruption:
            return "corruption";
        case Code::kNotSupported:
            return "not supported";
        case Code::kInvalidArgument:
            return "invalid argument";
        case Code::kIOError:
            return "input/output error";
        case Code::kIncomplete:
            return "incomplete";
        case Code::kShutdownInProgress:
            return "shutting down";
        case Code::kTimedOut:
            return "timed out";
        case Code::kAborted:
            return "aborted";
        case Code::kBusy:
            return "busy";
        case Code::kTryAgain:
            return "try again";
        case Code::kColumnFamilyDropped:
            return "column family dropped";
        default:
            return "engine failure";
    }
}

}  // namespace

rocksdb::DBOptions database_options() {
    rocksdb::DBOptions out;
    out.create_if_missing = true;
    out.create_missing_column_families = true;
    // A torn tail of the log after a crash is what was never confirmed: recover to the last whole write.
    out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    // Default 1 MiB: with blocks of 256 KiB, four writers would be a full group and the fifth needs a sync of its own.
    out.max_write_batch_group_size_bytes = 16 * kMiB;
    // Blocks are written without sync; handing them to the disk steadily keeps the sync that publishes them short.
    out.wal_bytes_per_sync = kMiB;
    out.bytes_per_sync = kMiB;
    // A family that is hardly written would pin every log since its last write.
    out.max_total_wal_size = 1024 * kMiB;
    // Reading with range tombstones and periodic compaction want every table open.
    out.max_open_files = -1;
    // Rate limiter, pipelined writes, async reads and WAL tracking stay off: each has known faults in 7.8.
    out.max_background_jobs = 4;
    out.keep_log_file_num = 5;
    out.max_log_file_size = 10 * kMiB;
    return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor> columns(const RocksDbOptions& options) {
    const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
    std::vector<rocksdb::ColumnFamilyDescriptor> out{{rocksdb::kDefaultColumnFamilyName, small_records(cache)}};
    for (const auto family : kFamilies)
        out.emplace_back(std::string(name(family)), family == Family::media_blocks
                                                        ? media_blocks(cache, options.blob_cache_bytes)
                                                        : small_records(cache));
    return out;
}

Error error_of(const rocksdb::Status& status) {
    if (status.IsNoSpace()) return {Errc::disk_full, {}};
    return {Errc::storage, std::string(word(status.code()))};
}

}  // namespace nimes::gateway::store
