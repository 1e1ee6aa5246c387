// Gives back the disk space of ranges that were erased: RocksDB keeps the files of an erased range until a compaction
// happens to come by, which for a range that nobody writes to any more may be never; blob files are kept until nothing
// points into them.
//
// Compacts on a thread of its own, one range after the other; a stop lets it end early. A database in which that failed
// compacts nothing any more: it says so and ends, and its successor takes over what is left. Threads: erased() from
// any. Ownership: the database must outlive it. Errors: told to `failed`; what was not compacted is compacted some day.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/store.hpp"

namespace nimes::gateway::store {

class Reclaimer {
  public:
    struct Range {
        Family family;
        std::string from, until;
        int tries = 0;
    };
    using Ranges = std::deque<Range>;

    // `families` as column_families() has them.
    Reclaimer(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families, Ranges ranges,
              std::function<void(const rocksdb::Status&)> failed)
        : db_(db),
          families_(std::move(families)),
          failed_(std::move(failed)),
          ranges_(std::move(ranges)),
          thread_([this] { run(); }) {}
    ~Reclaimer() { stop(); }
    Reclaimer(const Reclaimer&) = delete;
    Reclaimer& operator=(const Reclaimer&) = delete;

    void erased(Family family, std::string from, std::string until);
    // Ends it. What is left to do.
    Ranges stop();

  private:
    static constexpr std::size_t kMaxWaiting = 1'000;
    static constexpr int kTries = 3;
    void run();
    rocksdb::Status compact(const Range& range);

    rocksdb::DB& db_;
    const std::vector<rocksdb::ColumnFamilyHandle*> families_;
    const std::function<void(const rocksdb::Status&)> failed_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Ranges ranges_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::store
