// Transactions, searching, expiry, and what tampering with the file brings.
#include <sys/wait.h>
#include <csignal>

#include "fixture.hpp"
#include "nimes/encoding.hpp"

using namespace nimes;
using namespace nimes::agent::container;

TEST_CASE("rows are put, replaced, found by key and column, scanned and erased") {
    Home home;
    auto container = home.create();
    auto transaction = container->begin();
    REQUIRE(transaction);
    CHECK(container->begin().error().code == Errc::busy);

    auto anna = transaction->put(Table::contacts, text("anna"), text("1"), {0, {{1, text("Celle")}}});
    auto bert = transaction->put(Table::contacts, text("bert"), text("2"), {0, {{1, text("Celle")}}});
    auto cleo = transaction->put(Table::contacts, text("cleo"), text("3"), {0, {{1, text("Uelzen")}}});
    REQUIRE((anna && bert && cleo));
    CHECK(*transaction->put(Table::contacts, text("anna"), text("one"), {0, {{1, text("Uelzen")}}}) == *anna);
    CHECK(string_of((*transaction->get(Table::contacts, text("anna")))->value) == "one");
    CHECK_FALSE(*transaction->get(Table::contacts, text("dora")));
    CHECK_FALSE(*transaction->get(Table::conversations, text("anna")));

    auto celle = transaction->find(Table::contacts, {1, text("Celle")});
    REQUIRE(celle);
    REQUIRE(celle->size() == 1);
    CHECK(string_of(celle->front().key) == "bert");
    auto uelzen = transaction->find(Table::contacts, {1, text("Uelzen")}, 0, 1, Order::newest_first);
    REQUIRE(uelzen);
    REQUIRE(uelzen->size() == 1);
    CHECK(uelzen->front().id == *cleo);
    CHECK(transaction->find(Table::contacts, {2, text("Uelzen")})->empty());

    auto all = transaction->scan(Table::contacts);
    REQUIRE(all);
    CHECK(all->size() == 3);
    CHECK(transaction->scan(Table::contacts, *bert)->size() == 2);
    CHECK(transaction->scan(Table::contacts, 0, 1, Order::newest_first)->front().id == *cleo);
    CHECK(*transaction->erase(Table::contacts, text("bert")));
    CHECK_FALSE(*transaction->erase(Table::contacts, text("bert")));
    CHECK(*transaction->count(Table::contacts) == 2);
    CHECK(transaction->find(Table::contacts, {1, text("Celle")})->empty());
    CHECK(transaction->put(Table::contacts, text(""), text("x")).error().code == Errc::malformed);
    CHECK(transaction->put(Table::contacts, 1, Bytes(Transaction::kMaxValue + 1)).error().code == Errc::too_large);
    REQUIRE(transaction->append(Table::messages, text("a")));
    const auto second = *transaction->append(Table::messages, text("b"));
    CHECK(second < *transaction->append(Table::messages, text("c")));
    REQUIRE(transaction->commit());
    CHECK(transaction->commit().error().code == Errc::locked);
}

TEST_CASE("what was not committed never was, new day keys included") {
    Home home;
    auto container = home.create();
    store(*container, Table::send_chains, 1, "index 4");
    {
        auto transaction = container->begin();
        REQUIRE(transaction->put(Table::send_chains, 1, text("index 5")));
        REQUIRE(transaction->put(Table::messages, 1, text("m"), {20'007, {}}));
    }
    CHECK(load(*container, Table::send_chains, 1) == "index 4");
    CHECK(load(*container, Table::messages, 1) == "nothing");
    store(*container, Table::messages, 2, "n", {20'007, {}});
    container.reset();
    CHECK(load(*home.unlocked(), Table::messages, 2) == "n");
}

TEST_CASE("killed in the middle of a transaction, the container has the last commit") {
    Home home;
    store(*home.create(), Table::recv_chains, 1, "before");
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    const auto child = fork();
    if (child == 0) {
        auto lock = HomeLock::acquire(home.path());
        auto container = Container::open(std::move(*lock), home.around());
        if (!(*container)->unlock(text("korrekt pferd"))) _exit(1);
        auto first = (*container)->begin();
        (void)first->put(Table::recv_chains, 1, text("committed"));
        (void)first->put(Table::messages, 1, text("message"));
        if (!first->commit()) _exit(1);
        auto second = (*container)->begin();
        (void)second->put(Table::recv_chains, 1, text("never"));
        for (std::uint64_t i = 2; i < 500; ++i) (void)second->put(Table::messages, i, Bytes(20'000, 7));
        (void)!write(pipes[1], "x", 1);
        pause();
        _exit(0);
    }
    char ready = 0;
    close(pipes[1]);
    REQUIRE(read(pipes[0], &ready, 1) == 1);
    close(pipes[0]);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    auto container = home.unlocked();
    CHECK(load(*container, Table::recv_chains, 1) == "committed");
    CHECK(load(*container, Table::messages, 1) == "message");
    CHECK(*container->begin()->count(Table::messages) == 1);
}

TEST_CASE("a record opens only where and as what it was sealed") {
    Home home;
    {
        auto container = home.create();
        store(*container, Table::messages, 1, "first");
        store(*container, Table::messages, 2, "second");
        store(*container, Table::media, 1, "medium");
        store(*container, Table::recv_chains, 1, "chain");
        store(*container, Table::messages, 3, "dated", {20'007, {}});
        auto transaction = container->begin();
        REQUIRE(transaction->put(Table::contacts, text("anna"), text("a"), {0, {{1, text("x")}}}));
        REQUIRE(transaction->put(Table::contacts, text("bert"), text("b"), {0, {{1, text("y")}}}));
        REQUIRE(transaction->commit());
    }
    SECTION("moved to another id") {
        home.tamper(
            "UPDATE records SET sealed = (SELECT sealed FROM records WHERE tbl = 11 AND id = 2),"
            " version = (SELECT version FROM records WHERE tbl = 11 AND id = 2) WHERE tbl = 11 AND id = 1");
        CHECK(load(*home.unlocked(), Table::messages, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("moved to another table") {
        home.tamper(
            "UPDATE records SET sealed = (SELECT sealed FROM records WHERE tbl = 11 AND id = 1),"
            " version = (SELECT version FROM records WHERE tbl = 11 AND id = 1) WHERE tbl = 12 AND id = 1");
        CHECK(load(*home.unlocked(), Table::media, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("said to lie under another key") {
        home.tamper("UPDATE records SET key_day = 0, expiry_day = 0 WHERE tbl = 7");
        CHECK(load(*home.unlocked(), Table::recv_chains, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("its expiry put off") {
        home.tamper("UPDATE records SET expiry_day = 29999 WHERE tbl = 11 AND id = 3");
        CHECK(load(*home.unlocked(), Table::messages, 3) == "ERR_UNDECRYPTABLE");
    }
    SECTION("a bit turned") {
        home.tamper(
            "UPDATE records SET sealed = substr(sealed, 1, 30) || zeroblob(length(sealed) - 30) WHERE tbl = 11");
        CHECK(load(*home.unlocked(), Table::messages, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("cut short") {
        home.tamper("UPDATE records SET sealed = substr(sealed, 1, 10) WHERE tbl = 11");
        CHECK(load(*home.unlocked(), Table::messages, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("found under another's key") {
        home.tamper(
            "CREATE TEMP TABLE t AS SELECT id, blind FROM records WHERE tbl = 3;"
            "UPDATE records SET blind = NULL WHERE tbl = 3;"
            "UPDATE records SET blind = (SELECT blind FROM t WHERE t.id <> records.id) WHERE tbl = 3");
        auto container = home.unlocked();
        CHECK(container->begin()->get(Table::contacts, text("anna")).error().code == Errc::undecryptable);
    }
    SECTION("found by another's column") {
        home.tamper(
            "CREATE TEMP TABLE t AS SELECT id, blind FROM columns WHERE tbl = 3; DELETE FROM columns;"
            "INSERT INTO columns SELECT 3, 1, a.blind, b.id FROM t a, t b WHERE a.id <> b.id");
        auto container = home.unlocked();
        CHECK(container->begin()->find(Table::contacts, {1, text("x")}).error().code == Errc::undecryptable);
    }
    CHECK(load(*home.unlocked(), Table::messages, 2) != "first");
}

TEST_CASE("an older content of a row does not open under the row's newer version") {
    Home home;
    { store(*home.create(), Table::settings, 1, "old"); }
    home.tamper("CREATE TABLE kept(sealed BLOB); INSERT INTO kept SELECT sealed FROM records WHERE tbl = 14");
    { store(*home.unlocked(), Table::settings, 1, "new"); }
    SECTION("replaced in place") {
        home.tamper("UPDATE records SET sealed = (SELECT sealed FROM kept) WHERE tbl = 14");
        CHECK(load(*home.unlocked(), Table::settings, 1) == "ERR_UNDECRYPTABLE");
    }
    SECTION("a row erased and written again never has an old version's number") {
        {
            auto container = home.unlocked();
            auto transaction = container->begin();
            REQUIRE(*transaction->erase(Table::settings, 1));
            REQUIRE(transaction->commit());
            store(*container, Table::settings, 1, "newest");
        }
        home.tamper("UPDATE records SET sealed = (SELECT sealed FROM kept) WHERE tbl = 14");
        CHECK(load(*home.unlocked(), Table::settings, 1) == "ERR_UNDECRYPTABLE");
    }
}

namespace {
std::uint64_t keys_of_days(const Home& home) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_open(home.database().c_str(), &db) == SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(db, "SELECT count(*) FROM keys WHERE kind = 1", -1, &statement, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    const auto count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return static_cast<std::uint64_t>(count);
}
}  // namespace

TEST_CASE("a row goes when its day has come, and its day's key with the last of them") {
    Home home;
    auto container = home.create();
    const auto day = expiry_day_of(home.clock.wall);
    CHECK(day == 20'001);
    CHECK(expiry_day_of(20'001 * kDay) == 20'001);
    store(*container, Table::messages, 1, "short", {day, {{1, text("k")}}});
    store(*container, Table::messages, 2, "long", {day + 1, {{1, text("k")}}});
    store(*container, Table::skipped_keys, 3, "key", {day, {}});
    store(*container, Table::messages, 4, "for ever");
    CHECK(*container->expire(home.clock.wall) == 0);
    container->lock();
    CHECK(*container->expire(20'001 * kDay) == 2);
    REQUIRE(container->unlock(text("korrekt pferd")));
    CHECK(load(*container, Table::messages, 1) == "nothing");
    CHECK(load(*container, Table::skipped_keys, 3) == "nothing");
    CHECK(load(*container, Table::messages, 2) == "long");
    CHECK(container->begin()->find(Table::messages, {1, text("k")})->size() == 1);
    CHECK(*container->expire(20'002 * kDay) == 1);
    CHECK(load(*container, Table::messages, 4) == "for ever");
    store(*container, Table::messages, 5, "late", {20'002, {}});
    CHECK(load(*container, Table::messages, 5) == "late");
    CHECK(*container->expire(20'002 * kDay) == 1);
    container.reset();
    CHECK(keys_of_days(home) == 1);
}

namespace {
bool holds(const Bytes& where, ByteView what) {
    return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}
}  // namespace

TEST_CASE("neither content nor keys stand in the file or its log") {
    Home home;
    const std::string canary = "Kanarienvogel im Treppenhaus 4711";
    auto container = home.create(canary);
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    door.info = to_bytes(text(canary));
    REQUIRE(container->set_door(door));
    auto transaction = container->begin();
    REQUIRE(transaction->put(Table::contacts, text(canary), text(canary), {0, {{1, text(canary)}}}));
    REQUIRE(transaction->put(Table::messages, 1, text(canary), {20'007, {}}));
    REQUIRE(transaction->put(Table::send_chains, 1, text(canary)));
    REQUIRE(transaction->commit());

    const std::string base64 = to_base64url(text(canary));
    std::size_t read = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
        if (!entry.is_regular_file()) continue;
        const auto bytes = file_bytes(entry.path());
        read += bytes.size();
        INFO(entry.path());
        CHECK_FALSE(holds(bytes, text(canary).first(12)));
        CHECK_FALSE(holds(bytes, text(to_hex(text(canary).first(12)))));
        CHECK_FALSE(holds(bytes, text(base64).subspan(4, 20)));
        CHECK_FALSE(holds(bytes, door.identity_seed.view()));
        CHECK_FALSE(holds(bytes, container->identity()->secret.view().subspan(32)));
    }
    CHECK(read > 20'000);  // the log was there to be searched
}

TEST_CASE("the first unlock of a day replaces keystore half, secret and state key") {
    Home home;
    DoorContent door;
    home.random.fill(door.identity_seed.edit());
    {
        auto container = home.create();
        REQUIRE(container->set_door(door));
        for (std::uint64_t i = 0; i < 50; ++i) store(*container, Table::skipped_keys, i, "key " + std::to_string(i));
        store(*container, Table::messages, 1, "hallo", {20'007, {}});
    }
    const auto old_half = file_bytes(home.path() / "keystore" / "half-0");
    std::filesystem::copy_file(home.database(), home.path() / "yesterday");
    home.clock.wall += kDay;
    {
        auto container = home.unlocked();
        CHECK(load(*container, Table::skipped_keys, 49) == "key 49");
        CHECK(load(*container, Table::messages, 1) == "hallo");
        CHECK(container->identity()->public_key == signing_key_from_seed(door.identity_seed.view()).public_key);
        CHECK_FALSE(std::filesystem::exists(home.path() / "keystore" / "half-0"));
        CHECK(std::filesystem::exists(home.path() / "keystore" / "half-1"));
        store(*container, Table::messages, 2, "neu", {20'007, {}});
    }
    {
        auto container = home.unlocked();  // the same day: nothing changes
        CHECK(std::filesystem::exists(home.path() / "keystore" / "half-1"));
        CHECK(load(*container, Table::messages, 2) == "neu");
    }
    SECTION("yesterday's file opens no more: its half is gone") {
        std::filesystem::rename(home.path() / "yesterday", home.database());
        CHECK_FALSE(home.open()->unlock(text("korrekt pferd")));
    }
    SECTION("a half left by a crash before the change opens nothing, and is erased") {
        REQUIRE(home.keystore.store(0, Secret<32>(old_half)));
        auto container = home.unlocked();
        CHECK(load(*container, Table::skipped_keys, 3) == "key 3");
        CHECK_FALSE(std::filesystem::exists(home.path() / "keystore" / "half-0"));
    }
}
