#include "store/reclaimer.hpp"

namespace nimes::gateway::store {

Reclaimer::~Reclaimer() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Reclaimer::erased(rocksdb::ColumnFamilyHandle* family, std::string from, std::string until) {
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
        const auto range = std::move(ranges_.front());
        ranges_.pop_front();
        lock.unlock();
        rocksdb::CompactRangeOptions options;
        options.exclusive_manual_compaction = false;  // others may go on meanwhile
        options.canceled = &stop_;
        options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
        const rocksdb::Slice from(range.from), until(range.until);
        (void)db_.CompactRange(options, range.family, &from, &until);
        lock.lock();
    }
}

}  // namespace nimes::gateway::store
