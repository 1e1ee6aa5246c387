#include "container/key_ring.hpp"

#include "container/sealed_record.hpp"

namespace nimes::agent::container {
namespace {

// Kinds of rows in `keys`, and with kKeyTable the table number they are sealed for.
constexpr std::uint32_t kDayKey = 1;    // under the wrapping key
constexpr std::uint32_t kStateKey = 2;  // under the wrapping key
constexpr std::uint32_t kIndexKey = 3;  // under the key of day 0
constexpr std::uint32_t kKeyTable = 0x4b00;

struct StateRow {
    std::uint64_t table;
    std::uint64_t id;
};

}  // namespace

Result<HotKey> KeyRing::random_key(RandomSource& random) {
    auto key = arena_.take();
    if (key) random.fill(key->edit());
    return key;
}

Result<void> KeyRing::write(Database& db, std::uint32_t kind, std::uint32_t day, const HotKey& key, ByteView under,
                            Counter& counter, RandomSource& random) {
    const Place place{kKeyTable + kind, day, counter.next()};
    auto query = db.query("INSERT OR REPLACE INTO keys(kind, day, version, sealed) VALUES(?, ?, ?, ?)");
    if (!query) return pass(query);
    return query->bind(kind).bind(day).bind(place.version).bind(seal_record(under, place, key.view(), random)).run();
}

Result<HotKey> KeyRing::read(Database& db, std::uint32_t kind, std::uint32_t day, ByteView under) {
    auto query = db.query("SELECT version, sealed FROM keys WHERE kind = ? AND day = ?");
    if (!query) return pass(query);
    auto row = query->bind(kind).bind(day).step();
    if (!row) return pass(row);
    if (!*row) return fail(Errc::storage, "the container lacks one of its keys");
    auto plain = open_record(under, {kKeyTable + kind, day, query->integer(0)}, query->blob(1));
    if (!plain) return pass(plain);
    const Wiped wiped(std::move(*plain));
    return arena_.take(wiped.view());
}

Result<void> KeyRing::create(Database& db, HotKey wrapping, Counter& counter, RandomSource& random) {
    wrapping_ = std::move(wrapping);
    auto day0 = day_for_writing(db, 0, counter, random);
    if (!day0) return pass(day0);
    auto state = random_key(random);
    if (!state) return pass(state);
    auto index = random_key(random);
    if (!index) return pass(index);
    state_ = std::move(*state);
    index_ = std::move(*index);
    if (auto done = write(db, kStateKey, 0, state_, wrapping_.view(), counter, random); !done) return done;
    return write(db, kIndexKey, 0, index_, *day0, counter, random);
}

Result<void> KeyRing::load(Database& db, HotKey wrapping) {
    clear();
    wrapping_ = std::move(wrapping);
    auto query = db.query("SELECT day FROM keys WHERE kind = ?");
    if (!query) return pass(query);
    query->bind(kDayKey);
    for (;;) {
        auto row = query->step();
        if (!row) return pass(row);
        if (!*row) break;
        const auto day = static_cast<std::uint32_t>(query->integer(0));
        auto key = read(db, kDayKey, day, wrapping_.view());
        if (!key) return pass(key);
        days_.insert_or_assign(day, std::move(*key));
    }
    auto state = read(db, kStateKey, 0, wrapping_.view());
    if (!state) return pass(state);
    auto day0 = day(0);
    if (!day0) return pass(day0);
    auto index = read(db, kIndexKey, 0, *day0);
    if (!index) return pass(index);
    state_ = std::move(*state);
    index_ = std::move(*index);
    return {};
}

void KeyRing::clear() {
    wrapping_.reset();
    state_.reset();
    index_.reset();
    days_.clear();
    added_.clear();
}

Result<ByteView> KeyRing::day(std::uint32_t day) const {
    const auto at = days_.find(day);
    if (at == days_.end()) return fail(Errc::undecryptable, "the key of a record's day is gone");
    return at->second.view();
}

Result<ByteView> KeyRing::day_for_writing(Database& db, std::uint32_t day, Counter& counter, RandomSource& random) {
    if (const auto at = days_.find(day); at != days_.end()) return at->second.view();
    auto key = random_key(random);
    if (!key) return pass(key);
    if (auto done = write(db, kDayKey, day, *key, wrapping_.view(), counter, random); !done) return pass(done);
    added_.push_back(day);
    return days_.insert_or_assign(day, std::move(*key)).first->second.view();
}

void KeyRing::rolled_back() {
    for (const auto day : added_) days_.erase(day);
    added_.clear();
}

Result<KeyRing::Renewal> KeyRing::renew(Database& db, HotKey wrapping, Counter& counter, RandomSource& random) {
    Renewal out;
    out.wrapping = std::move(wrapping);
    for (const auto& [day, key] : days_)
        if (auto done = write(db, kDayKey, day, key, out.wrapping.view(), counter, random); !done) return pass(done);
    auto state = random_key(random);
    if (!state) return pass(state);
    out.state = std::move(*state);
    if (auto done = reseal_state_rows(db, out.state, counter, random); !done) return pass(done);
    if (auto done = write(db, kStateKey, 0, out.state, out.wrapping.view(), counter, random); !done) return pass(done);
    return out;
}

// Rows are collected first: SQLite leaves open what a SELECT sees of rows that change under it.
Result<void> KeyRing::reseal_state_rows(Database& db, const HotKey& fresh, Counter& counter, RandomSource& random) {
    std::vector<StateRow> rows;
    auto list = db.query("SELECT tbl, id FROM records WHERE key_day = ?");
    if (!list) return pass(list);
    list->bind(kStateDay);
    for (;;) {
        auto row = list->step();
        if (!row) return pass(row);
        if (!*row) break;
        rows.push_back({list->integer(0), list->integer(1)});
    }
    auto get = db.query("SELECT version, sealed FROM records WHERE tbl = ? AND id = ?");
    if (!get) return pass(get);
    auto put = db.query("UPDATE records SET version = ?, sealed = ? WHERE tbl = ? AND id = ?");
    if (!put) return pass(put);
    for (const auto& row : rows) {
        get->again();
        auto found = get->bind(row.table).bind(row.id).step();
        if (!found) return pass(found);
        Place place{static_cast<std::uint32_t>(row.table), row.id, get->integer(0)};
        auto plain = open_record(state_.view(), place, get->blob(1));
        if (!plain) return pass(plain);
        const Wiped wiped(std::move(*plain));
        place.version = counter.next();
        put->again();
        put->bind(place.version).bind(seal_record(fresh.view(), place, wiped.view(), random));
        if (auto done = put->bind(row.table).bind(row.id).run(); !done) return done;
    }
    return {};
}

void KeyRing::adopt(Renewal renewal) {
    wrapping_ = std::move(renewal.wrapping);
    state_ = std::move(renewal.state);
}

Result<void> KeyRing::erase_empty_days(Database& db, std::uint32_t today) {
    auto query = db.query(
        "DELETE FROM keys WHERE kind = ? AND day <> 0 AND day <= ?"
        " AND NOT EXISTS (SELECT 1 FROM records WHERE records.key_day = keys.day)");
    if (!query) return pass(query);
    return query->bind(kDayKey).bind(today).run();
}

Result<void> KeyRing::drop_erased(Database& db) {
    auto query = db.query("SELECT 1 FROM keys WHERE kind = ? AND day = ?");
    if (!query) return pass(query);
    for (auto at = days_.begin(); at != days_.end();) {
        query->again();
        auto there = query->bind(kDayKey).bind(at->first).step();
        if (!there) return pass(there);
        at = *there ? std::next(at) : days_.erase(at);
    }
    return {};
}

}  // namespace nimes::agent::container
