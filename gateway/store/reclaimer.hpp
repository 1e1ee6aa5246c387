// Gives back the disk space of ranges that were erased: RocksDB keeps the files of an erased range until a compaction
// happens to come by, which for a range that nobody writes to any more may be never; blob files are kept until nothing
// points into them.
//
// Compacts on a thread of its own, one range after the other; a stop lets it end early. Threads: erased() from any.
// Ownership: the database must outlive it. Errors: none; what was not compacted is compacted some day.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nimes::gateway::store {

class Reclaimer {
  public:
    Reclaimer(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families)
        : db_(db), families_(std::move(families)), thread_([this] { run(); }) {}
    ~Reclaimer();
    Reclaimer(const Reclaimer&) = delete;
    Reclaimer& operator=(const Reclaimer&) = delete;

    void erased(rocksdb::ColumnFamilyHandle* family, std::string from, std::string until);

  private:
    static constexpr std::size_t kMaxWaiting = 1'000;
    struct Range {
        rocksdb::ColumnFamilyHandle* family;
        std::string from, until;
    };
    void run();
    void compact(const Range& range);

    rocksdb::DB& db_;
    const std::vector<rocksdb::ColumnFamilyHandle*> families_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Range> ranges_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::store
