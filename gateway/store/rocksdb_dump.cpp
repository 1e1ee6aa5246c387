#include "store/rocksdb_dump.hpp"

#include <rocksdb/db.h>

#include <chrono>
#include <thread>

#include "store/rocksdb_log.hpp"
#include "store/rocksdb_options.hpp"

namespace nimes::gateway::store {
namespace {

struct ReadOnly {
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ~ReadOnly() {
        for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    }
};

rocksdb::Status open(ReadOnly& out, const std::filesystem::path& folder) {
    auto options = database_options();
    options.create_if_missing = false;
    options.create_missing_column_families = false;
    options.info_log = no_rocksdb_log();
    RocksOptions small;
    small.block_cache_bytes = 8U << 20;
    rocksdb::DB* db = nullptr;
    const auto status =
        rocksdb::DB::OpenForReadOnly(options, folder.string(), column_families(small), &out.handles, &db);
    out.db.reset(db);
    return status;
}

}  // namespace

// A read-only instance and not a secondary, which cannot read blob files (RocksDB issue 13296; 7.8 crashes). It holds
// no lock, so the primary may delete a file while the instance opens: then it opens again. A blob file that goes later,
// by garbage collection, ends the visit with an error.
Result<void> visit_all(const std::filesystem::path& folder,
                       const std::function<bool(std::string_view, std::string_view, std::string_view)>& visit) {
    if (!std::filesystem::exists(folder / "CURRENT")) return fail(Errc::storage, "no store in that folder");
    ReadOnly opened;
    auto status = open(opened, folder);
    for (int again = 0; again < 5 && !status.ok(); ++again) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        status = open(opened, folder);
    }
    for (std::size_t i = 0; i < opened.handles.size() && status.ok(); ++i) {
        const std::unique_ptr<rocksdb::Iterator> at(opened.db->NewIterator({}, opened.handles[i]));
        for (at->SeekToFirst(); at->Valid(); at->Next())
            if (!visit(opened.handles[i]->GetName(), {at->key().data(), at->key().size()},
                       {at->value().data(), at->value().size()}))
                return {};
        status = at->status();
    }
    if (!status.ok()) return fail(Errc::storage, status.ToString());
    return {};
}

}  // namespace nimes::gateway::store
