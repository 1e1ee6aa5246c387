// An open RocksDB that comes back after the disk failed, without a restart of the process.
//
// When a write fails, RocksDB refuses all later ones. Its own Resume() is for some errors only, and goes on with the
// write-ahead log that failed; opening it anew reads that log, as after a crash, for every error. mend() does that;
// whoever writes next calls it. What a failed write had already brought to the log may be there afterwards: callers
// repeat, and repeats are recognised.
//
// Threads: use() and mend() from any thread; mend() waits until nobody uses it. A Use must not outlive the engine, nor
// be held while mend() is called. Errors: Errc::storage, disk_full.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <shared_mutex>

#include "store/reclaimer.hpp"
#include "store/rocksdb_store.hpp"
#include "store/room.hpp"

namespace nimes::gateway::store {

tl::unexpected<Error> failed(const rocksdb::Status& status);

class RocksEngine {
  public:
    static Result<std::unique_ptr<RocksEngine>> open(std::filesystem::path folder, const RocksOptions& options);
    ~RocksEngine();
    RocksEngine(const RocksEngine&) = delete;
    RocksEngine& operator=(const RocksEngine&) = delete;

    // Access to it; false when it could not be opened again.
    class Use {
      public:
        explicit Use(const RocksEngine& engine) : lock_(engine.mutex_), engine_(engine) {}
        explicit operator bool() const { return engine_.db_ != nullptr; }
        rocksdb::DB* operator->() const { return engine_.db_.get(); }
        [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Family f) const {
            return engine_.handles_[static_cast<std::size_t>(f) + 1];
        }
        // A large range was erased: its disk space comes back soon.
        void reclaim(Family f, std::string from, std::string until) const {
            engine_.reclaimer_->erased(f, std::move(from), std::move(until));
        }

      private:
        std::shared_lock<std::shared_mutex> lock_;
        const RocksEngine& engine_;
    };
    [[nodiscard]] Use use() const { return Use(*this); }

    [[nodiscard]] Room& room() { return room_; }
    // Of every write, and of what RocksDB does beside: remembers that it failed.
    rocksdb::Status noted(rocksdb::Status status);
    [[nodiscard]] bool broken() const { return broken_; }
    // How often it was opened. Who holds a Use has the one that this says.
    [[nodiscard]] std::uint64_t openings() const { return openings_; }
    // Success when nothing is wrong, or no longer. Until it succeeds, nothing can be read either: not to be tried
    // without room().for_opening().
    Result<void> mend();

  private:
    class Watch;
    RocksEngine(std::filesystem::path folder, const RocksOptions& options);
    rocksdb::Status start();
    void close();

    const std::filesystem::path folder_;
    const RocksOptions options_;
    Room room_;
    mutable std::shared_mutex mutex_;
    std::atomic<bool> broken_ = false;
    std::atomic<std::uint64_t> openings_ = 0;
    std::unique_ptr<rocksdb::Env> env_;  // none: RocksDB's own
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    mutable std::optional<Reclaimer> reclaimer_;  // of the database that is open
    Reclaimer::Ranges to_reclaim_;                // while none is
};

}  // namespace nimes::gateway::store
