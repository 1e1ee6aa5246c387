// What two requests do to one medium at once, and what quota counts: nothing comes back from the dead, nothing is free.
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::media;
using namespace shelf;

TEST_CASE("who creates what has expired begins anew, and an earlier writer changes nothing of it") {
    Shelf shelf;
    const auto bytes = pattern(9'000'000);
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    auto late = shelf.media->write(shelf.blob, shelf.anna, {}).value();
    REQUIRE(late.append(ByteView(bytes).first(300'000)));
    shelf.upload(made<BlobId>(8), bytes);
    shelf.clock.time += kDay;
    REQUIRE(shelf.media->create(shelf.blob, shelf.bernd, 10));
    CHECK(late.flush().error().code == Errc::upload_locked);
    CHECK(shelf.media->take_over(shelf.blob, shelf.bernd)->offset == 0);
    // what was there is gone with its quota, swept or not
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->size() == 1);
    CHECK(shelf.media->create(made<BlobId>(8), shelf.anna, 9'000'000));
    CHECK(shelf.media->create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.media->create(made<BlobId>(10), shelf.anna, 9'000'000).error().code == Errc::quota);
}

TEST_CASE("a restart before the sweep does not give quota twice") {
    Shelf shelf;
    shelf.upload(shelf.blob, pattern(9'000'000));
    shelf.clock.time += kDay;
    REQUIRE(shelf.media->create(made<BlobId>(8), shelf.anna, 9'000'000));
    shelf.reopen();
    CHECK(*shelf.media->expire() == 1);
    CHECK(shelf.media->create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.media->create(made<BlobId>(10), shelf.anna, 9'000'000).error().code == Errc::quota);
}

TEST_CASE("many small media reach the quota too") {
    Shelf shelf;
    std::size_t taken = 0;
    BlobId blob{};
    for (std::uint16_t i = 0; i < 1'000; ++i) {
        blob.bytes[0] = static_cast<std::uint8_t>(i);
        blob.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        const auto head = shelf.media->create(blob, shelf.anna, i % 2);
        if (!head && head.error().code == Errc::quota) break;
        REQUIRE(head);
        ++taken;
    }
    CHECK(taken == shelf.limits.device_bytes / kLeastCharge);
    CHECK(shelf.media->remove(made<BlobId>(0), shelf.anna));
    CHECK(shelf.media->create(blob, shelf.anna, 1));
}

TEST_CASE("what was taken back stays so, whoever began to write meanwhile") {
    Shelf shelf;
    const auto bytes = pattern(9'000'000);
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    {
        auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
        REQUIRE(writer.append(ByteView(bytes).first(100'000)));
        REQUIRE(writer.flush());
    }
    std::optional<MediaStore::Writer> meanwhile;
    // remove() reads the part of a block that is there once it has taken the upload over: there the newcomer comes
    shelf.store.on_block_read = [&] { meanwhile.emplace(shelf.media->write(shelf.blob, shelf.anna, {}).value()); };
    REQUIRE(shelf.media->remove(shelf.blob, shelf.anna));
    REQUIRE(meanwhile);
    REQUIRE(meanwhile->append(ByteView(bytes).first(1'000)));
    CHECK(meanwhile->flush().error().code == Errc::upload_locked);
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna).error().code == Errc::not_found);
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
}

TEST_CASE("a crash inside a commit leaves no offset without the bytes below it") {
    const auto bytes = pattern(900'000);
    for (const std::size_t before : {0u, 300'000u})  // at a block's beginning, and inside one
        for (const std::size_t applied : {0u, 1u, 2u}) {
            Shelf shelf;
            REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
            {
                auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
                REQUIRE(writer.append(ByteView(bytes).first(before)));
                REQUIRE(writer.flush());
                REQUIRE(writer.append(ByteView(bytes).subspan(before, 400'000)));
                shelf.store.crash_after = applied;
                CHECK(writer.flush().error().code == Errc::storage);
                shelf.store.crash_after.reset();
            }
            shelf.reopen();
            auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
            const auto offset = static_cast<std::size_t>(writer.offset());
            CHECK(offset == (applied == 2 ? before + 400'000 : before));
            REQUIRE(writer.append(ByteView(bytes).subspan(offset)));
            REQUIRE(writer.flush());
            CHECK(shelf.content(shelf.blob) == bytes);
        }
}

TEST_CASE("a full disk refuses more and keeps what is there") {
    Shelf shelf;
    const auto bytes = pattern(500'000);
    shelf.upload(made<BlobId>(8), bytes);
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
    REQUIRE(writer.append(bytes));
    shelf.store.full = true;
    CHECK(writer.flush().error().code == Errc::disk_full);
    for (std::uint8_t i = 20; i < 30; ++i)  // what is refused costs no quota
        CHECK(shelf.media->create(made<BlobId>(i), shelf.anna, 9'000'000).error().code == Errc::disk_full);
    CHECK(shelf.content(made<BlobId>(8)) == bytes);
    REQUIRE(shelf.media->remove(made<BlobId>(8), shelf.anna));  // cleaning up works
    shelf.store.full = false;
    CHECK(*writer.flush() == bytes.size());
    CHECK(shelf.content(shelf.blob) == bytes);
    CHECK(shelf.media->create(made<BlobId>(20), shelf.anna, 9'000'000));
}
