// One suite for every implementation of the store: what holds for one holds for all.
#include "store/store.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "store/memory_store.hpp"
#include "store/rocksdb_key.hpp"
#include "store/rocksdb_store.hpp"

using namespace nimes;
using namespace nimes::gateway::store;

namespace {

struct Memory {
    std::unique_ptr<Store> store = std::make_unique<MemoryStore>();
    void reopen() {}  // has nothing to come back from
};

struct Rocks {
    std::filesystem::path folder;
    std::unique_ptr<Store> store;

    Rocks() {
        std::string name = (std::filesystem::temp_directory_path() / "nimes-store-XXXXXX").string();
        folder = mkdtemp(name.data());
        reopen();
    }
    ~Rocks() {
        store.reset();
        std::filesystem::remove_all(folder);
    }
    void reopen() {
        store.reset();
        RocksOptions options;
        options.floor_bytes = 0;
        auto opened = open_rocksdb(folder, options);
        REQUIRE(opened);
        store = std::move(*opened);
    }
};

Bytes value(std::string_view text) { return to_bytes(as_bytes(text)); }
const Partition kBox{Family::mailbox, std::string("a\0b", 3)};

}  // namespace

TEMPLATE_TEST_CASE("what was put is read, in order, across a reopening", "[store]", Memory, Rocks) {
    TestType t;
    REQUIRE(t.store->commit(Batch(kBox).put("b", value("2")).put("a", value("1")).put("c", value("")), Sync::yes));
    t.reopen();
    CHECK(t.store->get(kBox, "a").value() == value("1"));
    CHECK(t.store->get(kBox, "c").value() == Bytes{});
    CHECK_FALSE(t.store->get(kBox, "d").value());
    CHECK_FALSE(t.store->get({Family::bodies, kBox.name}, "a").value());
    const auto rows = t.store->scan(kBox, "a", "c", 10).value();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].key == "a");
    CHECK(rows[1].value == value("2"));
    CHECK(t.store->scan(kBox, "", "", 2)->size() == 2);
    CHECK(t.store->scan(kBox, "c", "a", 2)->empty());
    CHECK(t.store->last(kBox, "", "").value()->key == "c");
    CHECK(t.store->last(kBox, "a", "c").value()->key == "b");
    CHECK_FALSE(t.store->last(kBox, "d", "").value());
    CHECK(t.store->check());
}

TEMPLATE_TEST_CASE("neighbouring partitions never see each other", "[store]", Memory, Rocks) {
    TestType t;
    // Names that would run into one another without a proper end.
    const std::vector<std::string> names = {
        "", "a", std::string("a\0", 2), std::string("a\0\1", 3), "ab", std::string("\xff", 1)};
    for (const auto& n : names) REQUIRE(t.store->commit(Batch({Family::bodies, n}).put("k", value(n)), Sync::no));
    for (const auto& n : names) {
        CHECK(t.store->scan({Family::bodies, n}, "", "", 9)->size() == 1);
        CHECK(t.store->get({Family::bodies, n}, "k").value() == value(n));
    }
    CHECK(t.store->partitions(Family::bodies, "", 100).value() == names);
    CHECK(t.store->partitions(Family::bodies, "ab", 1).value() == std::vector<std::string>{"ab"});
    CHECK(t.store->partitions(Family::audit, "", 100)->empty());
    REQUIRE(t.store->drop({Family::bodies, "a"}));
    CHECK(t.store->partitions(Family::bodies, "", 100)->size() == names.size() - 1);
    CHECK(t.store->get({Family::bodies, names[2]}, "k").value());
}

TEMPLATE_TEST_CASE("a batch whose expectation fails changes nothing, nor do those after it", "[store]", Memory, Rocks) {
    TestType t;
    const Partition other{Family::mailbox, "other"};
    REQUIRE(t.store->commit(Batch(kBox).expect("n", std::nullopt).put("n", value("1")), Sync::yes));
    CHECK(t.store->commit(Batch(kBox).expect("n", std::nullopt).put("n", value("2")), Sync::yes).error().code ==
          Errc::storage_conflict);
    const std::vector<Batch> batches = {Batch(other).put("before", value("x")),
                                        Batch(kBox).expect("n", value("9")).put("n", value("3")).erase("z"),
                                        Batch(other).put("after", value("x"))};
    CHECK(t.store->commit(batches, Sync::yes).error().code == Errc::storage_conflict);
    CHECK(t.store->get(kBox, "n").value() == value("1"));
    CHECK(t.store->get(other, "before").value());
    CHECK_FALSE(t.store->get(other, "after").value());
    const std::vector<Batch> chained = {Batch(kBox).put("n", value("4")),
                                        Batch(kBox).expect("n", value("4")).put("n", value("5"))};
    CHECK(t.store->commit(chained, Sync::yes));
    CHECK(t.store->get(kBox, "n").value() == value("5"));
}

TEMPLATE_TEST_CASE("sixteen writers that compare and set lose no step", "[store]", Memory, Rocks) {
    TestType t;
    REQUIRE(t.store->commit(Batch(kBox).put("n", value(key_u64(0))), Sync::no));
    std::vector<std::thread> writers;
    for (int w = 0; w < 16; ++w)
        writers.emplace_back([&] {
            for (int done = 0; done < 20;) {
                const auto old = t.store->get(kBox, "n").value().value();
                const auto next = *u64_of(as_text(old)) + 1;
                if (t.store->commit(Batch(kBox).expect("n", old).put("n", value(key_u64(next))), Sync::no)) ++done;
            }
        });
    for (auto& w : writers) w.join();
    CHECK(u64_of(as_text(t.store->get(kBox, "n").value().value())) == 320);
}

TEMPLATE_TEST_CASE("any sequence of writes equals a plain map", "[store]", Memory, Rocks) {
    TestType t;
    std::mt19937 rng(11);
    std::map<std::string, Bytes> model;
    for (int i = 0; i < 300; ++i) {
        std::vector<Batch> batches(2, Batch(kBox));  // in one commit
        for (int k = 0; k < 6; ++k) {
            auto& batch = batches[k < 3 ? 0 : 1];
            const std::string a(1, static_cast<char>('a' + rng() % 20)), b(1, static_cast<char>('a' + rng() % 20));
            switch (rng() % 4) {
                case 0:
                    batch.erase(a);
                    model.erase(a);
                    break;
                case 1:
                    batch.erase_range(a, b);
                    if (a < b) model.erase(model.lower_bound(a), model.lower_bound(b));
                    break;
                default:
                    batch.put(a, value(b));
                    model[a] = value(b);
            }
        }
        REQUIRE(t.store->commit(batches, Sync::no));
        if (i % 50 == 49) t.reopen();
        const auto rows = t.store->scan(kBox, "", "", 100).value();
        REQUIRE(rows.size() == model.size());
        auto m = model.begin();
        for (const auto& r : rows) {
            REQUIRE(r.key == m->first);
            REQUIRE(r.value == m->second);
            ++m;
        }
    }
}

TEMPLATE_TEST_CASE("ranges and partitions go whole, with few keys as with many, and nothing beside them", "[store]",
                   Memory, Rocks) {
    TestType t;
    const auto keys = GENERATE(0, 1, 256, 257, 1'000);
    const Partition beside{kBox.family, kBox.name + "b"};
    Batch batch(kBox), other(beside);
    for (int i = 0; i < keys; ++i) batch.put("k" + key_u64(static_cast<std::uint64_t>(i)), value("v"));
    batch.put("a", value("v")).put("z", value("v"));
    REQUIRE(t.store->commit(batch, Sync::no));
    REQUIRE(t.store->commit(other.put("k", value("v")), Sync::no));
    REQUIRE(t.store->commit(Batch(kBox).erase_range("k", "l").put("kept", value("v")), Sync::no));
    CHECK(t.store->scan(kBox, "", "", 10).value().size() == 3);
    REQUIRE(t.store->drop(kBox));
    REQUIRE(t.store->drop(kBox));
    t.reopen();
    CHECK(t.store->scan(kBox, "", "", 10).value().empty());
    CHECK(t.store->scan(beside, "", "", 10).value().size() == 1);
}

TEST_CASE("a full disk refuses puts and lets erasing through", "[store]") {
    Rocks t;
    REQUIRE(t.store->commit(Batch(kBox).put("a", value("1")), Sync::yes));
    t.store.reset();
    RocksOptions options;
    options.floor_bytes = ~std::uint64_t{0};
    auto opened = open_rocksdb(t.folder, options);
    REQUIRE(opened);
    CHECK((*opened)->commit(Batch(kBox).put("b", value("1")), Sync::yes).error().code == Errc::disk_full);
    CHECK((*opened)->check().error().code == Errc::disk_full);
    CHECK((*opened)->commit(Batch(kBox).erase("a"), Sync::yes));
    CHECK_FALSE((*opened)->get(kBox, "a").value());
}

TEST_CASE("one process owns the folder, and large values come back from blob files", "[store]") {
    Rocks t;
    CHECK(open_rocksdb(t.folder, {}).error().code == Errc::storage);
    const Bytes block(256 * 1024, 0x5a);
    const Partition upload{Family::media_blocks, "upload"};
    for (std::uint64_t i = 0; i < 8; ++i) REQUIRE(t.store->commit(Batch(upload).put(key_u64(i), block), Sync::yes));
    t.reopen();
    CHECK(t.store->get(upload, key_u64(7)).value() == block);
    const std::string whole = partition_prefix(kBox.name) + "key";
    std::string_view key;
    CHECK(partition_name(whole, &key) == kBox.name);
    CHECK(key == "key");
}
