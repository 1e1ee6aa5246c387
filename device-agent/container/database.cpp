#include "container/database.hpp"

#include <sqlite3.h>

#include <limits>
#include <utility>

namespace nimes::agent::container {
namespace {

constexpr int kMaxBlob = 8 << 20;
constexpr int kBusyMillis = 5000;

Error error_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {Errc::disk_full, "the container cannot grow"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {Errc::storage, "the container's file is damaged"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {Errc::storage, "the container's file is in use by something else"};
        case SQLITE_TOOBIG:
            return {Errc::too_large, "a record"};
        default:
            return {Errc::storage, "the container's file: SQLite code " + std::to_string(code & 0xff)};
    }
}

tl::unexpected<Error> failed(int code) { return tl::unexpected<Error>(error_of(code)); }

}  // namespace

Query::Query(Query&& other) noexcept
    : home_(other.home_),
      statement_(std::exchange(other.statement_, nullptr)),
      next_(other.next_),
      bound_(other.bound_) {}

Query::~Query() {
    if (statement_ == nullptr) return;
    again();
    home_.push_back(statement_);
}

Query& Query::bind(std::uint64_t value) {
    bound_ = bound_ && value <= std::numeric_limits<sqlite3_int64>::max() &&
             sqlite3_bind_int64(statement_, next_, static_cast<sqlite3_int64>(value)) == SQLITE_OK;
    ++next_;
    return *this;
}

Query& Query::bind(ByteView value) {
    static constexpr std::uint8_t kNothing = 0;  // a null pointer would bind NULL
    const auto* data = value.empty() ? &kNothing : value.data();
    bound_ = bound_ && sqlite3_bind_blob64(statement_, next_, data, value.size(), SQLITE_TRANSIENT) == SQLITE_OK;
    ++next_;
    return *this;
}

Query& Query::bind_null() {
    bound_ = bound_ && sqlite3_bind_null(statement_, next_) == SQLITE_OK;
    ++next_;
    return *this;
}

Result<bool> Query::step() {
    if (!bound_) return fail(Errc::storage, "a value that the container cannot hold");
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failed(code);
}

Result<void> Query::run() {
    auto row = step();
    if (!row) return pass(row);
    return {};
}

void Query::again() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    next_ = 1;
    bound_ = true;
}

std::uint64_t Query::integer(int column) const {
    const auto value = sqlite3_column_int64(statement_, column);
    return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

ByteView Query::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return {data, data == nullptr || size < 0 ? 0 : static_cast<std::size_t>(size)};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    const auto real = std::filesystem::absolute(file.parent_path());
    std::error_code ignored;
    const auto resolved = std::filesystem::canonical(real, ignored) / file.filename();  // NOFOLLOW minds every part
    const int code = sqlite3_open_v2(resolved.c_str(), &raw, flags, nullptr);
    std::unique_ptr<Database> db(new Database(raw));
    if (code != SQLITE_OK) return failed(code);
    if (auto settled = db->settle(); !settled) return pass(settled);
    return db;
}

Result<void> Database::settle() {
    sqlite3_busy_timeout(db_, kBusyMillis);
    sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, kMaxBlob);
    sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    // Exclusive: one process owns the home, so the log's index lives in memory and needs no third file.
    if (auto set = execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
                           "PRAGMA cell_size_check=ON; PRAGMA synchronous=FULL");
        !set)
        return set;
    auto mode = query("PRAGMA journal_mode=WAL");
    if (!mode) return pass(mode);
    auto row = mode->step();
    if (!row) return pass(row);
    if (as_text(mode->blob(0)) != "wal") return fail(Errc::storage, "the container cannot keep a write-ahead log here");
    return {};
}

Database::~Database() {
    for (const auto& [text, idle] : prepared_)
        for (auto* statement : idle) sqlite3_finalize(statement);
    sqlite3_close(db_);
}

Result<void> Database::execute(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failed(code);
    return {};
}

Result<Query> Database::query(const char* sql) {
    auto at = prepared_.find(std::string_view(sql));
    if (at == prepared_.end()) at = prepared_.emplace(sql, Query::Idle{}).first;
    auto& idle = at->second;
    sqlite3_stmt* statement = nullptr;
    if (!idle.empty()) {
        statement = idle.back();
        idle.pop_back();
        return Query(idle, statement);
    }
    const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return failed(code);
    return Query(idle, statement);
}

Result<void> Database::run(const char* sql) {
    auto statement = query(sql);
    if (!statement) return pass(statement);
    return statement->run();
}

std::uint64_t Database::changes() const { return static_cast<std::uint64_t>(sqlite3_changes64(db_)); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

void Database::rollback() {
    if (in_transaction()) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<void> Database::truncate_log() { return execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace nimes::agent::container
