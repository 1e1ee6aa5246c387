// SQLite, as the container uses it: one connection, one thread, every commit synced, erased bytes overwritten, no
// temporary files.
//
// A Query is prepared, bound in order, stepped and read; its views of blobs live until the next step. What was prepared
// is kept for the next query of the same text. A Query must die before its Database. Errors: Errc::disk_full,
// Errc::storage; SQLite's own texts are dropped, since they may repeat values.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace nimes::agent::container {

class Query {
  public:
    Query(Query&& other) noexcept;
    Query& operator=(Query&&) = delete;
    ~Query();

    // The next ?, from the left.
    Query& bind(std::uint64_t value);
    Query& bind(ByteView value);
    Query& bind_null();

    // True: a row is there to be read. False: no more.
    Result<bool> step();
    // For statements that answer no rows.
    Result<void> run();
    // Ready to be bound again.
    void again();

    [[nodiscard]] std::uint64_t integer(int column) const;
    [[nodiscard]] ByteView blob(int column) const;

  private:
    friend class Database;
    using Idle = std::vector<sqlite3_stmt*>;
    Query(Idle& home, sqlite3_stmt* statement) : home_(home), statement_(statement) {}
    Idle& home_;  // where the statement goes when the query dies
    sqlite3_stmt* statement_;
    int next_ = 1;
    bool bound_ = true;
};

class Database {
  public:
    // The file must be there (create it with mode 0600 beforehand: SQLite's own follows the umask).
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Several statements without values.
    Result<void> execute(const char* sql);
    Result<Query> query(const char* sql);
    [[nodiscard]] std::uint64_t changes() const;

    // False when an error of the disk has ended the transaction: what is written then stands by itself.
    [[nodiscard]] bool in_transaction() const;
    Result<void> begin() { return run("BEGIN IMMEDIATE"); }
    Result<void> commit() { return run("COMMIT"); }
    void rollback();
    // Folds the log into the file and cuts it to nothing: what was erased is then in neither.
    Result<void> truncate_log();

  private:
    explicit Database(sqlite3* db) : db_(db) {}
    Result<void> settle();
    Result<void> run(const char* sql);
    sqlite3* db_;
    std::map<std::string, Query::Idle, std::less<>> prepared_;  // by their text
};

}  // namespace nimes::agent::container
