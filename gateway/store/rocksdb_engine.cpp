#include "store/rocksdb_engine.hpp"

#include <rocksdb/env.h>
#include <rocksdb/listener.h>

#include "store/crc32c.hpp"
#include "store/rocksdb_log.hpp"
#include "store/rocksdb_options.hpp"

namespace nimes::gateway::store {

tl::unexpected<Error> failed(const rocksdb::Status& status) {
    return fail(status.IsNoSpace() ? Errc::disk_full : Errc::storage, status.ToString());
}

// There is one way back from an error, mend(): RocksDB, which would resume by itself once a full disk has room again,
// is kept from it. What fails hard in the background, beside all writes, is seen here alone.
class RocksEngine::Watch final : public rocksdb::EventListener {
  public:
    explicit Watch(RocksEngine& engine) : engine_(engine) {}
    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
        // After a soft one (a compaction found no room) it goes on, and tries again.
        if (error->severity() > rocksdb::Status::Severity::kSoftError) (void)engine_.noted(*error);
    }
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* resume) override {
        *resume = false;
    }

  private:
    RocksEngine& engine_;
};

RocksEngine::RocksEngine(std::filesystem::path folder, const RocksOptions& options)
    : folder_(std::move(folder)), options_(options), room_(folder_, options_.floor_bytes, options_.reserve_bytes) {
    if (options_.files) env_ = rocksdb::NewCompositeEnv(options_.files);
}

RocksEngine::~RocksEngine() { close(); }

Result<std::unique_ptr<RocksEngine>> RocksEngine::open(std::filesystem::path folder, const RocksOptions& options) {
    std::unique_ptr<RocksEngine> out(new RocksEngine(std::move(folder), options));
    // Opening writes: on a full disk it would fail.
    if (!out->room_.for_opening()) out->room_.ran_out();
    if (const auto status = out->start(); !status.ok()) return failed(out->noted(status));
    out->room_.opened();
    return out;
}

rocksdb::Status RocksEngine::start() {
    if (!crc32c_fits())
        return rocksdb::Status::NotSupported("this processor's CRC-32C is not what files were written with");
    auto settings = database_options();
    if (env_) settings.env = env_.get();
    settings.listeners.push_back(std::make_shared<Watch>(*this));
    settings.info_log = rocksdb_log(folder_);
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(settings, folder_.string(), column_families(options_), &handles_, &db);
    db_.reset(db);
    ++openings_;
    if (status.ok())
        reclaimer_.emplace(*db_, handles_, std::exchange(to_reclaim_, {}),
                           [this](const rocksdb::Status& why) { noted(why); });
    return status;
}

void RocksEngine::close() {
    if (!db_) return;
    to_reclaim_ = reclaimer_->stop();
    reclaimer_.reset();
    for (auto* h : handles_) db_->DestroyColumnFamilyHandle(h);
    handles_.clear();
    db_->Close();
    db_.reset();
}

rocksdb::Status RocksEngine::noted(rocksdb::Status status) {
    if (status.IsNoSpace()) room_.ran_out();
    if (!status.ok()) broken_ = true;
    return status;
}

Result<void> RocksEngine::mend() {
    if (!broken_) return {};
    const std::unique_lock lock(mutex_);
    if (!broken_) return {};
    close();
    broken_ = false;  // before there is a new one that may break
    const auto status = start();
    if (status.ok()) return {};
    return failed(noted(status));
}

}  // namespace nimes::gateway::store
