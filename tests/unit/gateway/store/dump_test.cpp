#include <map>

#include "stores.hpp"

using namespace stores;

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

TEST_CASE("a dump shows every column of a store that is open, from memory, log, tables and blob files") {
    const Folder folder;
    const auto path = folder.path / "store";
    const auto store = std::move(RocksDbStore::open(path, small()).value());
    const std::string block(200'000, 'B');
    for (const auto family : kFamilies)
        REQUIRE(store->commit(Batch({family, "flushed"}).put("k", as_bytes(block)), Sync::no));
    REQUIRE(store->flush());
    for (const auto family : kFamilies)
        REQUIRE(store->commit(Batch({family, "log"}).put("k", as_bytes("small")), Sync::no));

    auto seen = dump(path);
    for (const auto family : kFamilies) {
        INFO(name(family));
        CHECK(seen[{std::string(name(family)),
                    "\x07"
                    "flushedk"}] == block);
        CHECK(seen[{std::string(name(family)), "\x03logk"}] == "small");
    }
    CHECK(seen[{"default", "layout"}] == "1");

    REQUIRE(store->commit(Batch(mailbox("later")).put("k", as_bytes("x")), Sync::no));
    CHECK(dump(path).contains({"mailbox", "\x05laterk"}));
}

TEST_CASE("a dump ends when it is told to, and says when there is no store") {
    const Folder folder;
    CHECK(visit_all(folder.path, [](auto, auto, auto) { return true; }).error().code == Errc::storage);
    const auto store = std::move(RocksDbStore::open(folder.path / "store", small()).value());
    for (const auto* key : {"a", "b"}) REQUIRE(store->commit(Batch(mailbox("m")).put(key, as_bytes("")), Sync::no));
    int seen = 0;
    REQUIRE(visit_all(folder.path / "store", [&](auto, auto, auto) { return ++seen < 2; }));
    CHECK(seen == 2);
}
