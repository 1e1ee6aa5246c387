// What RocksDB's store does beyond the contract: the disk's floor, blob files, refusing to open.
#include <fstream>

#include "stores.hpp"

using namespace stores;

TEST_CASE("below the floor puts are refused, reading and erasing go on") {
    const Folder folder;
    std::uint64_t free = 100;
    auto options = small();
    options.min_free_bytes = 50;
    options.free_bytes = [&] { return free; };
    const auto store = std::move(RocksDbStore::open(folder.path / "store", options).value());
    REQUIRE(store->commit(Batch(mailbox("m")).put("a", as_bytes("1")).put("b", as_bytes("1")), Sync::yes));
    REQUIRE(store->check());

    free = 49;
    const auto refused = store->commit(Batch(mailbox("m")).erase("a").put("c", as_bytes("1")), Sync::yes);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::disk_full);
    CHECK(store->check().error().code == Errc::disk_full);
    CHECK(records(store->scan(mailbox("m"), "", "", 9)) == "a=1 b=1");
    REQUIRE(store->commit(Batch(mailbox("m")).erase("a"), Sync::yes));
    REQUIRE(store->drop(mailbox("m")));
    CHECK(records(store->scan(mailbox("m"), "", "", 9)).empty());

    free = 50;
    REQUIRE(store->commit(Batch(mailbox("m")).put("c", as_bytes("1")), Sync::yes));
    CHECK(store->free_bytes() == 50);
}

TEST_CASE("media blocks live in blob files and come back whole") {
    const Folder folder;
    const auto path = folder.path / "store";
    const Partition upload{Family::media_blocks, "u"};
    {
        const auto store = std::move(RocksDbStore::open(path, small()).value());
        Batch batch(upload);
        for (std::uint64_t i = 0; i < 8; ++i)
            batch.put(key_u64(i), Bytes(256 * 1024, static_cast<std::uint8_t>(i + 1)));
        REQUIRE(store->commit(batch, Sync::yes));
        REQUIRE(store->flush());
    }
    std::uintmax_t blobs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path))
        if (entry.path().extension() == ".blob") blobs += entry.file_size();
    CHECK(blobs > 8 * 256 * 1024);

    const auto store = std::move(RocksDbStore::open(path, small()).value());
    CHECK(store->get(upload, key_u64(7)).value() == Bytes(256 * 1024, 8));
    REQUIRE(store->drop(upload));
    CHECK(store->scan(upload, "", "", 9).value().empty());
}

TEST_CASE("a store is not opened twice, nor one of another layout, nor something else") {
    const Folder folder;
    const auto path = folder.path / "store";
    {
        const auto first = std::move(RocksDbStore::open(path, small()).value());
        CHECK(RocksDbStore::open(path, small()).error().code == Errc::storage);
    }
    std::ofstream(folder.path / "file") << "not a folder";
    CHECK(RocksDbStore::open(folder.path / "file", small()).error().code == Errc::storage);

    std::filesystem::remove(path / "CURRENT");
    std::ofstream(path / "CURRENT") << "MANIFEST-999999\n";
    CHECK(RocksDbStore::open(path, small()).error().code == Errc::storage);
}
