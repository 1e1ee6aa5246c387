// What two requests do to one medium at once, and what quota counts: nothing comes back from the dead, nothing is free.
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::media;
using namespace shelf;

TEST_CASE("who creates what has expired begins anew, and an earlier writer changes nothing of it") {
    Shelf shelf;
    const auto bytes = pattern(9'000'000);
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    auto late = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(late.append(ByteView(bytes).first(300'000)));
    shelf.upload(made<BlobId>(8), bytes);
    shelf.clock.time += kDay;
    REQUIRE(shelf.create(shelf.blob, shelf.bernd, 10));
    CHECK(late.flush().error().code == Errc::upload_locked);
    CHECK(shelf.media->take_over(shelf.blob, shelf.bernd.device)->offset == 0);
    // what was there is gone with its quota, swept or not
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->size() == 1);
    CHECK(shelf.create(made<BlobId>(8), shelf.anna, 9'000'000));
    CHECK(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.create(made<BlobId>(10), shelf.anna, 9'000'000).error().code == Errc::quota);
}

TEST_CASE("a restart before the sweep does not give quota twice") {
    Shelf shelf;
    shelf.upload(shelf.blob, pattern(9'000'000));
    shelf.clock.time += kDay;
    REQUIRE(shelf.create(made<BlobId>(8), shelf.anna, 9'000'000));
    shelf.reopen();
    CHECK(*shelf.media->expire() == 1);
    CHECK(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.create(made<BlobId>(10), shelf.anna, 9'000'000).error().code == Errc::quota);
}

TEST_CASE("many small media reach the quota too") {
    Shelf shelf;
    std::size_t taken = 0;
    BlobId blob{};
    for (std::uint16_t i = 0; i < 1'000; ++i) {
        blob.bytes[0] = static_cast<std::uint8_t>(i);
        blob.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        const auto head = shelf.create(blob, shelf.anna, i % 2);
        if (!head && head.error().code == Errc::quota) break;
        REQUIRE(head);
        ++taken;
    }
    CHECK(taken == shelf.limits.device_bytes / kLeastCharge);
    CHECK(shelf.media->remove(made<BlobId>(0), shelf.anna));
    CHECK(shelf.create(blob, shelf.anna, 1));
}

TEST_CASE("what was taken back stays so, whoever is still writing") {
    Shelf shelf;
    const auto bytes = pattern(9'000'000);
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(writer.append(ByteView(bytes).first(100'000)));
    REQUIRE(writer.flush());
    REQUIRE(shelf.media->remove(shelf.blob, shelf.anna));
    REQUIRE(writer.append(ByteView(bytes).first(1'000)));
    CHECK(writer.flush().error().code == Errc::upload_locked);
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device).error().code == Errc::not_found);
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
}

TEST_CASE("quotas of a device, a person and the organisation, in bytes and in open uploads") {
    const auto quota = [](const auto& result) { return !result && result.error().code == Errc::quota; };
    const media::Uploader anna{made<UserId>(1), made<DeviceId>(1)}, tablet{made<UserId>(1), made<DeviceId>(2)},
        bernd{made<UserId>(2), made<DeviceId>(3)};
    Limits open;
    open.device_open = 2;
    open.user_open = 3;
    open.organisation_open = 4;
    Limits bytes;
    bytes.device_bytes = 2'000'000;
    bytes.user_bytes = 3'000'000;
    bytes.organisation_bytes = 4'000'000;
    for (const auto& limits : {open, bytes}) {
        Shelf shelf;
        shelf.limits = limits;
        shelf.reopen();
        REQUIRE(shelf.create(made<BlobId>(1), anna, 1'000'000));
        REQUIRE(shelf.create(made<BlobId>(2), anna, 1'000'000));
        CHECK(quota(shelf.create(made<BlobId>(3), anna, 1'000'000)));
        REQUIRE(shelf.create(made<BlobId>(3), tablet, 1'000'000));
        CHECK(quota(shelf.create(made<BlobId>(4), tablet, 1'000'000)));
        shelf.reopen();  // counted again from what is stored
        REQUIRE(shelf.create(made<BlobId>(4), bernd, 1'000'000));
        CHECK(quota(shelf.create(made<BlobId>(5), bernd, 1'000'000)));
        REQUIRE(shelf.media->remove(made<BlobId>(1), anna));
        CHECK(shelf.create(made<BlobId>(5), bernd, 1'000'000));
        CHECK(quota(shelf.create(made<BlobId>(6), anna, 1'000'000)));  // the organisation's
    }
    Shelf shelf;
    shelf.limits = open;
    shelf.reopen();
    for (std::uint8_t i = 1; i < 9; ++i) shelf.upload(made<BlobId>(i), pattern(10));  // what is finished is not open
    CHECK(shelf.create(made<BlobId>(9), anna, 10));
}

TEST_CASE("a medium of unknown length counts as the largest one until it says its length") {
    Shelf shelf;
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, {}));
    REQUIRE(shelf.media->create(made<BlobId>(8), shelf.anna, {}));
    CHECK(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000).error().code == Errc::quota);
    {
        auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
        REQUIRE(writer.append(pattern(1'000)));
        REQUIRE(writer.flush());
        CHECK(writer.declare(999).error().code == Errc::upload_length);
        CHECK(writer.declare(10'000'001).error().code == Errc::too_large);
        REQUIRE(writer.declare(1'000'000));
        REQUIRE(writer.declare(1'000'000));
        CHECK(writer.declare(1'000'001).error().code == Errc::upload_length);
    }
    CHECK(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device)->length == 1'000'000);
}

TEST_CASE("a crash inside a commit leaves no offset without the bytes below it") {
    const auto bytes = pattern(900'000);
    for (const std::size_t before : {0u, 300'000u})  // at a block's beginning, and inside one
        for (const std::size_t applied : {0u, 1u, 2u}) {
            Shelf shelf;
            REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
            {
                auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
                REQUIRE(writer.append(ByteView(bytes).first(before)));
                REQUIRE(writer.flush());
                REQUIRE(writer.append(ByteView(bytes).subspan(before, 400'000)));
                REQUIRE(writer.declare(bytes.size()));  // waits for the full block that is on its way
                shelf.store.crash_after = applied;
                CHECK(writer.flush().error().code == Errc::storage);
                shelf.store.crash_after.reset();
            }
            shelf.reopen();
            auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
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
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(writer.append(bytes));
    REQUIRE(writer.declare(bytes.size()));  // waits for the full block that is on its way
    shelf.store.full = true;
    CHECK(writer.flush().error().code == Errc::disk_full);
    for (std::uint8_t i = 20; i < 30; ++i)  // what is refused costs no quota
        CHECK(shelf.create(made<BlobId>(i), shelf.anna, 9'000'000).error().code == Errc::disk_full);
    CHECK(shelf.content(made<BlobId>(8)) == bytes);
    REQUIRE(shelf.media->remove(made<BlobId>(8), shelf.anna));  // cleaning up works
    shelf.store.full = false;
    auto again = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(again.append(ByteView(bytes).subspan(static_cast<std::size_t>(again.head().offset))));
    CHECK(*again.flush() == bytes.size());
    CHECK(shelf.content(shelf.blob) == bytes);
    CHECK(shelf.create(made<BlobId>(20), shelf.anna, 9'000'000));
}
