#include "container/transaction.hpp"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "container/record_store.hpp"
#include "container/sealed_record.hpp"

namespace nimes::agent::container {
namespace {

#define NIMES_ROW_COLUMNS "SELECT records.id, version, key_day, expiry_day, sealed FROM records "
constexpr const char* kById = NIMES_ROW_COLUMNS "WHERE tbl = ? AND id = ?";
constexpr const char* kUp = NIMES_ROW_COLUMNS "WHERE tbl = ? AND id >= ? ORDER BY id LIMIT ?";
constexpr const char* kDown = NIMES_ROW_COLUMNS "WHERE tbl = ? AND id <= ? ORDER BY id DESC LIMIT ?";
#define NIMES_FOUND_ROWS                                                     \
    NIMES_ROW_COLUMNS                                                        \
    "JOIN columns ON columns.tbl = records.tbl AND columns.id = records.id " \
    "WHERE columns.tbl = ? AND columns.number = ? AND columns.blind = ? "
constexpr const char* kFindUp = NIMES_FOUND_ROWS "AND columns.id >= ? ORDER BY columns.id LIMIT ?";
constexpr const char* kFindDown = NIMES_FOUND_ROWS "AND columns.id <= ? ORDER BY columns.id DESC LIMIT ?";
#undef NIMES_FOUND_ROWS
#undef NIMES_ROW_COLUMNS

// 0 means "from the end that comes first".
std::uint64_t start(std::uint64_t from, Order order) {
    return from == 0 && order == Order::newest_first ? std::numeric_limits<std::int64_t>::max() : from;
}

std::uint32_t number(Table table) { return static_cast<std::uint32_t>(table); }

}  // namespace

Row::~Row() { sodium_memzero(value.data(), value.size()); }

Transaction::Transaction(Transaction&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      serial_(other.serial_),
      undos_(std::move(other.undos_)),
      changed_(std::move(other.changed_)) {}

Transaction::~Transaction() {
    if (alive()) roll_back();
}

void Transaction::roll_back() {
    store_->rollback();
    for (auto undo = undos_.rbegin(); undo != undos_.rend(); ++undo) (*undo)();
}

bool Transaction::alive() const { return store_ != nullptr && store_->alive && store_->serial == serial_; }

// SQLite itself ends a transaction when the disk fails, also under a caller who has not heard of it.
Result<void> Transaction::usable() const {
    if (!alive()) return fail(Errc::locked, "the transaction has ended");
    if (!store_->db.in_transaction()) return fail(Errc::storage, "the disk has ended the transaction");
    return {};
}

Result<void> Transaction::put(Table table, std::uint64_t id, ByteView value, const PutOptions& options) {
    if (auto can = usable(); !can) return can;
    return store_->write(table, id, {}, value, options);
}

Result<std::uint64_t> Transaction::put(Table table, ByteView key, ByteView value, const PutOptions& options) {
    if (auto can = usable(); !can) return pass(can);
    if (key.empty()) return fail(Errc::malformed, "an empty key");
    auto known = store_->id_of(table, key);
    if (!known) return pass(known);
    const auto id = *known ? **known : store_->counter.next();
    if (auto done = store_->write(table, id, key, value, options, !*known); !done) return pass(done);
    return id;
}

Result<std::uint64_t> Transaction::append(Table table, ByteView value, const PutOptions& options) {
    if (auto can = usable(); !can) return pass(can);
    const auto id = store_->counter.next();
    if (auto done = store_->write(table, id, {}, value, options, true); !done) return pass(done);
    return id;
}

Result<std::optional<Row>> Transaction::get(Table table, std::uint64_t id) {
    if (auto can = usable(); !can) return pass(can);
    auto query = store_->db.query(kById);
    if (!query) return pass(query);
    auto there = query->bind(number(table)).bind(id).step();
    if (!there) return pass(there);
    if (!*there) return std::optional<Row>();
    auto row = store_->read(table, *query);
    if (!row) return pass(row);
    return std::optional<Row>(std::move(*row));
}

Result<std::optional<Row>> Transaction::get(Table table, ByteView key) {
    if (auto can = usable(); !can) return pass(can);
    auto id = store_->id_of(table, key);
    if (!id) return pass(id);
    if (!*id) return std::optional<Row>();
    auto row = get(table, **id);
    // The blinded column stands in clear: that it led here proves nothing.
    if (row && *row && !std::ranges::equal((*row)->key, key))
        return fail(Errc::undecryptable, "a record is not what it was found by");
    return row;
}

Result<bool> Transaction::erase(Table table, std::uint64_t id) {
    if (auto can = usable(); !can) return pass(can);
    return store_->erase(table, id);
}

Result<bool> Transaction::erase(Table table, ByteView key) {
    if (auto can = usable(); !can) return pass(can);
    auto id = store_->id_of(table, key);
    if (!id) return pass(id);
    if (!*id) return false;
    return store_->erase(table, **id);
}

Result<std::vector<Row>> Transaction::scan(Table table, std::uint64_t from, std::size_t limit, Order order) {
    if (auto can = usable(); !can) return pass(can);
    auto query = store_->db.query(order == Order::oldest_first ? kUp : kDown);
    if (!query) return pass(query);
    query->bind(number(table)).bind(start(from, order)).bind(limit);
    return store_->read_all(table, *query);
}

Result<std::vector<Row>> Transaction::find(Table table, const Column& column, std::uint64_t from, std::size_t limit,
                                           Order order) {
    if (auto can = usable(); !can) return pass(can);
    auto query = store_->db.query(order == Order::oldest_first ? kFindUp : kFindDown);
    if (!query) return pass(query);
    const auto found_by = blind(store_->ring.index(), number(table), column.number, column.value);
    query->bind(number(table)).bind(column.number).bind(found_by.view()).bind(start(from, order)).bind(limit);
    return store_->read_all(table, *query, &column);
}

Result<std::uint64_t> Transaction::count(Table table) {
    if (auto can = usable(); !can) return pass(can);
    auto query = store_->db.query("SELECT count(*) FROM records WHERE tbl = ?");
    if (!query) return pass(query);
    auto there = query->bind(number(table)).step();
    if (!there) return pass(there);
    return query->integer(0);
}

Result<void> Transaction::commit() {
    if (!alive()) return usable();
    auto done = usable();
    if (done) done = store_->commit();
    if (!done) roll_back();
    return done;
}

}  // namespace nimes::agent::container
