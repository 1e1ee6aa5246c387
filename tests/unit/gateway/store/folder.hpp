// A store in a folder that goes with its test.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "store/rocksdb_store.hpp"

namespace folders {

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

inline std::unique_ptr<nimes::gateway::store::Store> open(const std::filesystem::path& folder) {
    nimes::gateway::store::RocksOptions options;
    options.floor_bytes = 0;
    return std::move(nimes::gateway::store::open_rocksdb(folder, options).value());
}

}  // namespace folders
