#include "container/record_store.hpp"

#include <algorithm>

#include "container/sealed_record.hpp"

namespace nimes::agent::container {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint32_t kKeyColumn = 0;

bool under_state_key(Table table) {
    return table == Table::send_chains || table == Table::recv_chains || table == Table::skipped_keys ||
           table == Table::seal_keys;
}

std::uint32_t number(Table table) { return static_cast<std::uint32_t>(table); }

// format u8 ‖ u16 length ‖ key ‖ u8 n ‖ n × (u32 column ‖ u16 length ‖ value) ‖ value
Bytes encode(ByteView key, ByteView value, const PutOptions& options) {
    Writer out;
    out.u8(kFormat).u16(static_cast<std::uint16_t>(key.size())).bytes(key);
    out.u8(static_cast<std::uint8_t>(options.columns.size()));
    for (const auto& column : options.columns)
        out.u32(column.number).u16(static_cast<std::uint16_t>(column.value.size())).bytes(column.value);
    out.bytes(value);
    return std::move(out).take();
}

// Whether `wanted`, if any, is among the columns inside.
bool decode(ByteView plain, Row& row, const Column* wanted) {
    Reader in(plain);
    in.expect_u8(kFormat);
    row.key = to_bytes(in.take(in.u16()));
    bool found = wanted == nullptr;
    const auto n = in.u8();
    for (unsigned i = 0; i < n && !in.failed(); ++i) {
        const auto column = in.u32();
        const auto value = in.take(in.u16());
        found = found || (column == wanted->number && std::ranges::equal(value, wanted->value));
    }
    row.value = to_bytes(in.take(in.left()));
    return found && in.done();
}

Result<void> check(ByteView key, ByteView value, const PutOptions& options) {
    if (key.size() > Transaction::kMaxKey || value.size() > Transaction::kMaxValue)
        return fail(Errc::too_large, "a row of the container");
    if (options.columns.size() > Transaction::kMaxColumns) return fail(Errc::too_large, "too many columns");
    for (const auto& column : options.columns)
        if (column.number == kKeyColumn || column.value.size() > Transaction::kMaxKey)
            return fail(Errc::too_large, "a column of the container");
    return {};
}

}  // namespace

Result<void> Transaction::Store::begin() {
    if (alive) return fail(Errc::busy, "another transaction of the container is open");
    if (auto begun = db.begin(); !begun) return begun;
    alive = true;
    ++serial;
    return {};
}

Result<void> Transaction::Store::commit() {
    if (counter.value != committed.value) {
        auto query = db.query("UPDATE meta SET counter = ? WHERE id = 1");
        if (!query) return pass(query);
        if (auto stored = query->bind(counter.value).run(); !stored) return stored;
    }
    if (auto done = db.commit(); !done) return done;
    committed = counter;
    ring.committed();
    alive = false;
    return {};
}

void Transaction::Store::rollback() {
    if (!alive) return;
    db.rollback();
    ring.rolled_back();
    counter = committed;
    alive = false;
}

Result<Transaction::Store::RecordKey> Transaction::Store::key_for_writing(Table table, std::uint32_t expiry_day) {
    if (under_state_key(table)) return RecordKey{ring.state(), KeyRing::kStateDay};
    if (expiry_day == KeyRing::kStateDay) return fail(Errc::malformed, "an expiry day that cannot be");
    auto key = ring.day_for_writing(db, expiry_day, counter, random);
    if (!key) return pass(key);
    return RecordKey{*key, expiry_day};
}

Result<ByteView> Transaction::Store::key_for_reading(std::uint32_t key_day) const {
    if (key_day == KeyRing::kStateDay) return ring.state();
    return ring.day(key_day);
}

Result<void> Transaction::Store::write(Table table, std::uint64_t id, ByteView key, ByteView value,
                                       const PutOptions& options, bool fresh) {
    if (auto fits = check(key, value, options); !fits) return fits;
    if (!fresh)
        if (auto gone = erase(table, id); !gone) return pass(gone);
    auto under = key_for_writing(table, options.expiry_day);
    if (!under) return pass(under);
    const Place place{number(table), id, counter.next()};
    const Wiped plain(encode(key, value, options));
    auto put = db.query(
        "INSERT INTO records(tbl, id, version, key_day, expiry_day, blind, sealed) VALUES(?, ?, ?, ?, ?, ?, ?)");
    if (!put) return pass(put);
    put->bind(place.table).bind(id).bind(place.version).bind(under->key_day).bind(options.expiry_day);
    if (key.empty()) put->bind_null();
    else put->bind(blind(ring.index(), place.table, kKeyColumn, key).view());
    if (auto done = put->bind(seal_record(under->key, place, plain.view(), random)).run(); !done) return done;

    auto add = db.query("INSERT OR IGNORE INTO columns(tbl, number, blind, id) VALUES(?, ?, ?, ?)");
    if (!add) return pass(add);
    for (const auto& column : options.columns) {
        add->again();
        add->bind(place.table).bind(column.number);
        add->bind(blind(ring.index(), place.table, column.number, column.value).view()).bind(id);
        if (auto done = add->run(); !done) return done;
    }
    return {};
}

Result<Row> Transaction::Store::read(Table table, const Query& query, const Column* wanted) const {
    Row row;
    row.id = query.integer(0);
    const auto key_day = static_cast<std::uint32_t>(query.integer(2));
    row.expiry_day = static_cast<std::uint32_t>(query.integer(3));
    if (key_day != (under_state_key(table) ? KeyRing::kStateDay : row.expiry_day))
        return fail(Errc::undecryptable, "a record under another day's key");
    auto key = key_for_reading(key_day);
    if (!key) return pass(key);
    auto plain = open_record(*key, {number(table), row.id, query.integer(1)}, query.blob(4));
    if (!plain) return pass(plain);
    const Wiped wiped(std::move(*plain));
    if (!decode(wiped.view(), row, wanted)) return fail(Errc::undecryptable, "a record is not what it was found by");
    return row;
}

Result<std::vector<Row>> Transaction::Store::read_all(Table table, Query& query, const Column* wanted) const {
    std::vector<Row> out;
    for (;;) {
        auto there = query.step();
        if (!there) return pass(there);
        if (!*there) return out;
        auto row = read(table, query, wanted);
        if (!row) return pass(row);
        out.push_back(std::move(*row));
    }
}

Result<std::optional<std::uint64_t>> Transaction::Store::id_of(Table table, ByteView key) {
    auto query = db.query("SELECT id FROM records WHERE tbl = ? AND blind = ?");
    if (!query) return pass(query);
    auto row = query->bind(number(table)).bind(blind(ring.index(), number(table), kKeyColumn, key).view()).step();
    if (!row) return pass(row);
    if (!*row) return std::optional<std::uint64_t>();
    return std::optional(query->integer(0));
}

Result<bool> Transaction::Store::erase(Table table, std::uint64_t id) {
    auto columns = db.query("DELETE FROM columns WHERE tbl = ? AND id = ?");
    if (!columns) return pass(columns);
    if (auto done = columns->bind(number(table)).bind(id).run(); !done) return pass(done);
    auto query = db.query("DELETE FROM records WHERE tbl = ? AND id = ?");
    if (!query) return pass(query);
    if (auto done = query->bind(number(table)).bind(id).run(); !done) return pass(done);
    return db.changes() > 0;
}

Result<std::size_t> erase_expired(Database& db, std::uint32_t today) {
    if (auto begun = db.begin(); !begun) return pass(begun);
    auto columns = db.query(
        "DELETE FROM columns WHERE EXISTS (SELECT 1 FROM records WHERE records.tbl = columns.tbl AND"
        " records.id = columns.id AND records.expiry_day <> 0 AND records.expiry_day <= ?)");
    if (!columns) return pass(columns);
    if (auto done = columns->bind(today).run(); !done) return pass(done);
    auto rows = db.query("DELETE FROM records WHERE expiry_day <> 0 AND expiry_day <= ?");
    if (!rows) return pass(rows);
    if (auto done = rows->bind(today).run(); !done) return pass(done);
    auto erased = static_cast<std::size_t>(db.changes());
    auto arrivals = db.query("DELETE FROM arrivals WHERE expiry_day <= ?");
    if (!arrivals) return pass(arrivals);
    if (auto done = arrivals->bind(today).run(); !done) return pass(done);
    erased += static_cast<std::size_t>(db.changes());
    if (auto done = KeyRing::erase_empty_days(db, today); !done) return pass(done);
    if (auto done = db.commit(); !done) return pass(done);
    return erased;
}

}  // namespace nimes::agent::container
