// RocksDB's settings, each with its reason. Kept apart from rocksdb_store.cpp because the read-only tool opens with the
// same column families. Pure.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <vector>

#include "store/rocksdb_store.hpp"

namespace nimes::gateway::store {

// In the order of Family.
inline constexpr std::array<const char*, 8> kFamilyNames = {"directory", "mailbox",     "bodies",       "conversation",
                                                            "enrolment", "media_index", "media_blocks", "audit"};

rocksdb::DBOptions database_options();
std::vector<rocksdb::ColumnFamilyDescriptor> column_families(const RocksOptions& options);

}  // namespace nimes::gateway::store
