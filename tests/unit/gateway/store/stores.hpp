// The stores that the contract's tests run on, each fresh and gone with its test.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "store/memory_store.hpp"
#include "store/rocksdb_store.hpp"

namespace stores {

using namespace nimes;
using namespace nimes::gateway::store;

class Folder {
  public:
    Folder() {
        auto pattern = (std::filesystem::temp_directory_path() / "nimes-store-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path = pattern;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

inline RocksDbOptions small() {
    RocksDbOptions options;
    options.min_free_bytes = 0;
    options.block_cache_bytes = 8 << 20;
    options.blob_cache_bytes = 1 << 20;
    return options;
}

struct Memory {
    Store& store() { return store_; }
    MemoryStore store_;
};

struct RocksDb {
    RocksDb() : store_(std::move(RocksDbStore::open(folder.path / "store", small()).value())) {}
    Store& store() { return *store_; }
    Folder folder;
    std::unique_ptr<RocksDbStore> store_;
};

inline Partition mailbox(std::string name) { return {Family::mailbox, std::move(name)}; }

inline std::string text(const Result<std::optional<Bytes>>& value) {
    REQUIRE(value.has_value());
    return *value ? std::string(as_text(**value)) : "(absent)";
}
inline Bytes bytes(std::string_view value) { return to_bytes(as_bytes(value)); }

// "a=1 b=2" of a scan.
inline std::string records(const Result<std::vector<Record>>& found) {
    REQUIRE(found.has_value());
    std::string out;
    for (const auto& record : *found)
        out.append(out.empty() ? "" : " ").append(record.key).append("=").append(as_text(record.value));
    return out;
}

}  // namespace stores
