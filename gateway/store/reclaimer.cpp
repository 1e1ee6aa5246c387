#include "store/reclaimer.hpp"

namespace nimes::gateway::store {
namespace {

// Blob files are rewritten once more than a third of them is garbage: two bytes moved for each one that comes free.
constexpr std::uint64_t kGarbageShare = 3;

}  // namespace

Reclaimer::Ranges Reclaimer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    return std::move(ranges_);
}

void Reclaimer::erased(Family family, std::string from, std::string until) {
    {
        const std::lock_guard lock(mutex_);
        if (ranges_.size() < kMaxWaiting) ranges_.push_back({family, std::move(from), std::move(until)});
    }
    wake_.notify_one();
}

void Reclaimer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stop_ || !ranges_.empty(); });
        if (stop_) return;
        auto range = std::move(ranges_.front());
        ranges_.pop_front();
        lock.unlock();
        const auto status = compact(range);
        lock.lock();
        if (status.ok()) continue;
        if (!stop_) ++range.tries;
        if (range.tries < kTries) ranges_.push_front(std::move(range));
        if (!stop_) failed_(status);
        return;
    }
}

// Compaction drops erased keys and, with the last key that points into it, a blob file. Where much of what is left in
// the files is garbage, a second pass moves the rest out of them, if the disk has room for both.
rocksdb::Status Reclaimer::compact(const Range& range) {
    using rocksdb::BlobGarbageCollectionPolicy;
    rocksdb::CompactRangeOptions options;
    options.canceled = &stop_;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    options.blob_garbage_collection_policy = BlobGarbageCollectionPolicy::kDisable;
    const rocksdb::Slice from(range.from), until(range.until);
    auto* const family = families_[static_cast<std::size_t>(range.family) + 1];
    if (auto status = db_.CompactRange(options, family, &from, &until); !status.ok()) return status;
    // The log holds the same bytes once more, as long as any family has something in it that is not flushed.
    if (auto status = db_.Flush({}, families_); !status.ok()) return status;
    std::uint64_t files = 0, garbage = 0, free = 0;
    db_.GetIntProperty(family, rocksdb::DB::Properties::kLiveBlobFileSize, &files);
    db_.GetIntProperty(family, rocksdb::DB::Properties::kLiveBlobFileGarbageSize, &garbage);
    if (garbage <= files / kGarbageShare) return {};
    if (db_.GetEnv()->GetFreeSpace(db_.GetName(), &free).ok() && free < files - garbage) return {};
    options.blob_garbage_collection_policy = BlobGarbageCollectionPolicy::kForce;
    options.blob_garbage_collection_age_cutoff = 1.0;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    return db_.CompactRange(options, family, nullptr, nullptr);
}

}  // namespace nimes::gateway::store
