#include "store/rocksdb_engine.hpp"

#include <rocksdb/env.h>

#include "store/crc32c.hpp"
#include "store/rocksdb_options.hpp"

namespace nimes::gateway::store {

tl::unexpected<Error> failed(const rocksdb::Status& status) {
    return fail(status.IsNoSpace() ? Errc::disk_full : Errc::storage, status.ToString());
}

RocksEngine::RocksEngine(std::filesystem::path folder, const RocksOptions& options)
    : folder_(std::move(folder)), options_(options) {
    if (options_.files) env_ = rocksdb::NewCompositeEnv(options_.files);
}

RocksEngine::~RocksEngine() { close(); }

Result<std::unique_ptr<RocksEngine>> RocksEngine::open(std::filesystem::path folder, const RocksOptions& options) {
    std::unique_ptr<RocksEngine> out(new RocksEngine(std::move(folder), options));
    if (const auto status = out->start(); !status.ok()) return failed(status);
    return out;
}

rocksdb::Status RocksEngine::start() {
    if (!crc32c_fits())
        return rocksdb::Status::NotSupported("this processor's CRC-32C is not what files were written with");
    auto settings = database_options();
    if (env_) settings.env = env_.get();
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(settings, folder_.string(), column_families(options_), &handles_, &db);
    db_.reset(db);
    ++openings_;
    if (status.ok()) reclaimer_.emplace(*db_, handles_);
    return status;
}

void RocksEngine::close() {
    if (!db_) return;
    reclaimer_.reset();
    for (auto* h : handles_) db_->DestroyColumnFamilyHandle(h);
    handles_.clear();
    db_->Close();
    db_.reset();
}

rocksdb::Status RocksEngine::noted(rocksdb::Status status) {
    if (!status.ok()) broken_ = true;
    return status;
}

Result<void> RocksEngine::mend() {
    if (!broken_) return {};
    const std::unique_lock lock(mutex_);
    if (!broken_) return {};
    close();
    if (const auto status = start(); !status.ok()) return failed(status);
    broken_ = false;
    return {};
}

}  // namespace nimes::gateway::store
