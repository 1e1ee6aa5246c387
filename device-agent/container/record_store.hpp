// What a Transaction works on: the open container's database, keys and counter, and which transaction is alive.
// Private to the container room.
#pragma once

#include "container/database.hpp"
#include "container/key_ring.hpp"
#include "container/transaction.hpp"

namespace nimes::agent::container {

struct Transaction::Store {
    Database& db;
    KeyRing& ring;
    RandomSource& random;
    Counter counter;
    Counter committed;         // as the database has it
    std::uint64_t serial = 0;  // of the last transaction begun
    bool alive = false;        // it is neither committed nor rolled back

    Result<void> begin();
    Result<void> commit();
    void rollback();

    // The key for a row of that table and expiry day, and what its column key_day says.
    struct RecordKey {
        ByteView key;
        std::uint32_t key_day = 0;
    };
    Result<RecordKey> key_for_writing(Table table, std::uint32_t expiry_day);
    Result<ByteView> key_for_reading(std::uint32_t key_day) const;

    // key: the row's key, empty for rows with ids of the caller's.
    // fresh: an id that counter.next() gave just now, so nothing has to make way.
    Result<void> write(Table table, std::uint64_t id, ByteView key, ByteView value, const PutOptions& options,
                       bool fresh = false);
    // Of a query that answered id, version, key_day, expiry_day, sealed. wanted: a column that must be inside.
    Result<Row> read(Table table, const Query& query, const Column* wanted = nullptr) const;
    Result<std::vector<Row>> read_all(Table table, Query& query, const Column* wanted = nullptr) const;
    // nullopt when no row has that key.
    Result<std::optional<std::uint64_t>> id_of(Table table, ByteView key);
    Result<bool> erase(Table table, std::uint64_t id);
};

// One database transaction: rows and arrivals whose expiry day is `today` or before go, with their columns and the keys
// of days that hold nothing any more. How many rows; the caller rolls back after an error.
Result<std::size_t> erase_expired(Database& db, std::uint32_t today);

}  // namespace nimes::agent::container
