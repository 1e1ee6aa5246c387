#include "store/rocksdb_dump.hpp"

#include <map>

#include "folder.hpp"
#include "store/rocksdb_key.hpp"
#include "store/rocksdb_options.hpp"

using namespace nimes;
using namespace nimes::gateway::store;
using folders::Folder;

namespace {

using Seen = std::map<std::pair<std::string, std::string>, std::string>;

Seen dump(const std::filesystem::path& folder) {
    Seen seen;
    REQUIRE(visit_all(folder, [&](std::string_view column, std::string_view key, std::string_view value) {
        seen[{std::string(column), std::string(key)}] = value;
        return true;
    }));
    return seen;
}

}  // namespace

TEST_CASE("a dump shows every column of a store that is open, from log, tables and blob files") {
    const Folder folder;
    const auto path = folder.path / "store";
    const std::string block(200'000, 'B');
    auto store = folders::open(path);
    for (std::size_t f = 0; f < kFamilyNames.size(); ++f)
        REQUIRE(store->commit(Batch({static_cast<Family>(f), "old"}).put("k", as_bytes(block)), Sync::yes));
    store.reset();  // what it opens with again is in files, large values of media in blob files
    store = folders::open(path);
    bool blobs = false;
    for (const auto& entry : std::filesystem::directory_iterator(path)) blobs |= entry.path().extension() == ".blob";
    REQUIRE(blobs);
    for (std::size_t f = 0; f < kFamilyNames.size(); ++f)
        REQUIRE(store->commit(Batch({static_cast<Family>(f), "new"}).put("k", as_bytes("small")), Sync::no));

    auto seen = dump(path);
    for (const auto* name : kFamilyNames) {
        INFO(name);
        CHECK(seen[{name, partition_prefix("old") + "k"}] == block);
        CHECK(seen[{name, partition_prefix("new") + "k"}] == "small");
    }
    REQUIRE(store->commit(Batch({Family::mailbox, "later"}).put("k", as_bytes("x")), Sync::no));
    CHECK(dump(path).contains({"mailbox", partition_prefix("later") + "k"}));
}

TEST_CASE("a dump ends when it is told to, and says when there is no store") {
    const Folder folder;
    CHECK(visit_all(folder.path, [](auto, auto, auto) { return true; }).error().code == Errc::storage);
    const auto store = folders::open(folder.path / "store");
    for (const auto* key : {"a", "b", "c"})
        REQUIRE(store->commit(Batch({Family::mailbox, "m"}).put(key, as_bytes("")), Sync::no));
    int seen = 0;
    REQUIRE(visit_all(folder.path / "store", [&](auto, auto, auto) { return ++seen < 2; }));
    CHECK(seen == 2);
}
