// What stands in the container: rows of tables, each sealed by itself, read and written in transactions.
//
// A row has an id (u64, ascending) and, if the caller wants, a key: any bytes, found again by a blinded hash and
// checked inside the sealed record, so that swapping two rows on disk is seen. Beside the key up to 8 numbered columns
// can be searched by find(). A table uses ids of the caller's or keys, not both.
// Threads, ownership, errors: see container.hpp. Not committed means rolled back when it dies; after lock() or shut()
// every call answers Errc::locked. Who holds in memory what is written here says by if_lost() how that goes back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <typeindex>
#include <vector>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

// Numbers are stored and sealed in: never reused.
enum class Table : std::uint32_t {
    identity = 1,
    config = 2,
    contacts = 3,
    heads = 4,
    conversations = 5,
    send_chains = 6,   // these four lie under the state key,
    recv_chains = 7,   // which is replaced, and its rows
    skipped_keys = 8,  // sealed anew, at the first unlock
    seal_keys = 9,     // of each day
    outbox = 10,
    messages = 11,
    media = 12,
    held = 13,
    settings = 14,
    alarms = 15,
    acts = 16,
    undecryptable = 17,
    requests = 18,
    verified = 19,
    history = 20,
    accepted = 21,
    recalled = 22,
};

// The first UTC day on which something that ends at `end` may be erased; 0 stays 0: no expiry.
constexpr std::uint32_t expiry_day_of(Millis end) { return static_cast<std::uint32_t>((end + kDay - 1) / kDay); }

struct Column {
    std::uint32_t number;  // the table's own, from 1
    ByteView value;
};

struct PutOptions {
    std::uint32_t expiry_day = 0;  // see expiry_day_of
    std::vector<Column> columns{};
};

struct Row {
    std::uint64_t id = 0;
    Bytes key;
    Bytes value;
    std::uint32_t expiry_day = 0;

    Row() = default;
    Row(Row&&) = default;
    Row& operator=(Row&&) = default;
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    ~Row();  // zeroes value: it may hold keys
};

enum class Order : std::uint8_t { oldest_first, newest_first };

class Transaction {
  public:
    static constexpr std::size_t kMaxKey = 1024;
    static constexpr std::size_t kMaxValue = 4 << 20;
    static constexpr std::size_t kMaxColumns = 8;

    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    // Replaces or adds. Errc::too_large beyond the limits above.
    Result<void> put(Table table, std::uint64_t id, ByteView value, const PutOptions& options = {});
    Result<std::uint64_t> put(Table table, ByteView key, ByteView value, const PutOptions& options = {});
    // Adds under an id above all that were ever given out.
    Result<std::uint64_t> append(Table table, ByteView value, const PutOptions& options = {});

    Result<std::optional<Row>> get(Table table, std::uint64_t id);
    Result<std::optional<Row>> get(Table table, ByteView key);
    // False when it was not there.
    Result<bool> erase(Table table, std::uint64_t id);
    Result<bool> erase(Table table, ByteView key);

    // At most `limit` rows by id: oldest first those with id >= from; newest first those with id <= from (0:
    // from the newest).
    Result<std::vector<Row>> scan(Table table, std::uint64_t from = 0, std::size_t limit = kAll,
                                  Order order = Order::oldest_first);
    Result<std::vector<Row>> find(Table table, const Column& column, std::uint64_t from = 0, std::size_t limit = kAll,
                                  Order order = Order::oldest_first);
    Result<std::uint64_t> count(Table table);

    Result<void> commit();
    // Called once after the rollback, the last one first, when nothing of this reached the disk; not after lock() or
    // shut(), which end what is in memory, too. It must neither throw nor begin a transaction.
    void if_lost(std::function<void()> undo) { undos_.push_back(std::move(undo)); }
    // True once for each object: it goes back to what it was at its first change, so later ones need no copy.
    [[nodiscard]] bool first_change_of(const void* object, std::type_index type) {
        return changed_.emplace(object, type).second;
    }

    static constexpr std::size_t kAll = 1'000'000;

  private:
    friend class Container;
    struct Store;
    Transaction(Store* store, std::uint64_t serial) : store_(store), serial_(serial) {}
    [[nodiscard]] bool alive() const;
    Result<void> usable() const;
    void roll_back();

    Store* store_;
    std::uint64_t serial_;
    std::vector<std::function<void()>> undos_;
    std::set<std::pair<const void*, std::type_index>> changed_;
};

}  // namespace nimes::agent::container
