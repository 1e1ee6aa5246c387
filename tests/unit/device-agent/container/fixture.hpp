// A handset's home in a temporary directory, with a clock that the test turns.
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "container/arena.hpp"
#include "container/container.hpp"

namespace nimes::agent::container {

class TestClock final : public Clock {
  public:
    Millis wall = 20'000 * kDay + 5 * kHour;
    Millis up = kHour;
    [[nodiscard]] Millis now() const override { return wall; }
    [[nodiscard]] Millis boot() const override { return up; }
};

class TempDir {
  public:
    explicit TempDir(const std::filesystem::path& in = std::filesystem::temp_directory_path()) {
        std::string name = (in / "nimes-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline ByteView text(std::string_view in) { return as_bytes(in); }
inline std::string string_of(ByteView in) { return std::string(as_text(in)); }

inline Bytes file_bytes(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Home {
    TempDir dir;
    TestClock clock;
    SystemRandom random;
    FileKeystore keystore{dir.path() / "keystore"};

    [[nodiscard]] std::filesystem::path path() const { return dir.path(); }
    [[nodiscard]] std::filesystem::path database() const { return dir.path() / "container.db"; }
    Surroundings around() { return {keystore, clock, random}; }

    HomeLock take_lock() {
        auto taken = HomeLock::acquire(path());
        REQUIRE(taken);
        return std::move(*taken);
    }
    std::unique_ptr<Container> create(std::string_view passphrase = "korrekt pferd") {
        auto made = Container::create(take_lock(), text(passphrase), PassphraseCost::least(), around());
        REQUIRE(made);
        return std::move(*made);
    }
    std::unique_ptr<Container> open() {
        auto opened = Container::open(take_lock(), around());
        REQUIRE(opened);
        return std::move(*opened);
    }
    std::unique_ptr<Container> unlocked(std::string_view passphrase = "korrekt pferd") {
        auto container = open();
        REQUIRE(container->unlock(text(passphrase)));
        return container;
    }
    // As somebody who has the file and no key; the container must be closed.
    void tamper(const std::string& sql) const {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(database().c_str(), &db) == SQLITE_OK);
        const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
        const auto changed = sqlite3_total_changes(db);
        sqlite3_close(db);
        REQUIRE(code == SQLITE_OK);
        REQUIRE(changed > 0);
    }
};

inline void store(Container& container, Table table, std::uint64_t id, std::string_view value,
                  PutOptions options = {}) {
    auto transaction = container.begin();
    REQUIRE(transaction);
    REQUIRE(transaction->put(table, id, text(value), options));
    REQUIRE(transaction->commit());
}

// What a row says, or the error's name.
inline std::string load(Container& container, Table table, std::uint64_t id) {
    auto transaction = container.begin();
    REQUIRE(transaction);
    auto row = transaction->get(table, id);
    if (!row) return std::string(row.error().row().name);
    return *row ? string_of((*row)->value) : "nothing";
}

}  // namespace nimes::agent::container
