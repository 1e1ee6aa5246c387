// RocksDB's options for each column family, argued in the source. Only rocksdb_store.cpp and rocksdb_dump.cpp include
// it.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "store/rocksdb_store.hpp"

namespace nimes::gateway::store {

rocksdb::DBOptions database_options();
// `default` first, then the families in their order.
std::vector<rocksdb::ColumnFamilyDescriptor> columns(const RocksDbOptions& options);
// RocksDB's status as ours: no path, no key in it.
Error error_of(const rocksdb::Status& status);

}  // namespace nimes::gateway::store
