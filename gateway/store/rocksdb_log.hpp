// RocksDB's own log: the file LOG in the store's folder, for whoever must find out what RocksDB did.
//
// The logger that RocksDB opens by itself ends the process (Debian's build, by an assertion) with the next line after
// one for which the disk had no room. This one drops what does not go through, and goes on.
// LOG has at most so many bytes, whatever the number of starts; what was before it is LOG.old, which is as large as an
// earlier version had left LOG. Threads: any. Ownership: the folder belongs to one process; a second one, which RocksDB
// then refuses, writes a few lines into the first one's. Errors: none; what cannot be opened, or is a symbolic link, is
// tried again with each line.
#pragma once

#include <rocksdb/env.h>

#include <filesystem>
#include <memory>

namespace nimes::gateway::store {

inline constexpr std::uint64_t kMaxLog = std::uint64_t{16} << 20;

std::shared_ptr<rocksdb::Logger> rocksdb_log(const std::filesystem::path& folder, std::uint64_t max_bytes = kMaxLog);

// For who reads a store that is another process's, whose LOG it is.
std::shared_ptr<rocksdb::Logger> no_rocksdb_log();

}  // namespace nimes::gateway::store
