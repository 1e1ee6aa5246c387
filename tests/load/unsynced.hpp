// A store that puts its syncs off to one at the end: for filling a store that nobody uses yet, where a crash in between
// means only that the filling begins anew. Threads: as the store beneath. Ownership: the store outlives it.
#pragma once

#include <mutex>

#include "store/store.hpp"

namespace nimes::load {

class Unsynced final : public gateway::store::Store {
  public:
    explicit Unsynced(gateway::store::Store& inner) : inner_(inner) {}

    using Store::commit;
    Result<void> commit(std::span<const gateway::store::Batch> batches, gateway::store::Sync) override {
        const std::lock_guard lock(mutex_);
        auto done = inner_.commit(batches, gateway::store::Sync::no);
        if (done && !batches.empty()) last_ = batches.back();
        return done;
    }
    // Writes the last batch once more, with a sync: RocksDB's log is synced up to there.
    Result<void> sync() {
        const std::lock_guard lock(mutex_);
        if (!last_) return {};
        last_->expectations.clear();
        return inner_.commit(*last_, gateway::store::Sync::yes);
    }
    Result<std::optional<Bytes>> get(const gateway::store::Partition& p, std::string_view key) override {
        return inner_.get(p, key);
    }
    Result<std::vector<gateway::store::Record>> scan(const gateway::store::Partition& p, std::string_view from,
                                                     std::string_view until, std::size_t limit) override {
        return inner_.scan(p, from, until, limit);
    }
    Result<std::optional<gateway::store::Record>> last(const gateway::store::Partition& p, std::string_view from,
                                                       std::string_view until) override {
        return inner_.last(p, from, until);
    }
    Result<std::vector<std::string>> partitions(gateway::store::Family family, std::string_view from,
                                                std::size_t limit) override {
        return inner_.partitions(family, from, limit);
    }
    Result<void> drop(const gateway::store::Partition& p) override { return inner_.drop(p); }
    Result<void> check() override { return inner_.check(); }

  private:
    gateway::store::Store& inner_;
    std::mutex mutex_;
    std::optional<gateway::store::Batch> last_;
};

}  // namespace nimes::load
