#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::media;
using namespace shelf;

TEST_CASE("an upload in pieces of any size, with restarts between, is the bytes that were sent") {
    for (const std::size_t piece : {1u, 1'000u, 65'552u, 262'144u, 1'048'576u, 3'000'000u}) {
        Shelf shelf;
        const auto bytes = pattern(piece == 1 ? 3'000 : 2'600'001);
        REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
        std::uint64_t offset = 0;
        for (int round = 0; offset < bytes.size(); ++round) {
            auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
            REQUIRE(writer.offset() == offset);
            for (int i = 0; i < 3 && offset < bytes.size(); ++i) {
                const auto n = std::min<std::size_t>(piece, bytes.size() - offset);
                REQUIRE(writer.append(ByteView(bytes).subspan(offset, n)));
                offset += n;
            }
            REQUIRE(*writer.flush() == offset);
            if (round % 2 == 0) shelf.reopen();
        }
        CHECK(shelf.content(shelf.blob) == bytes);
    }
}

TEST_CASE("an offset that was given out is never taken back; what was not flushed is not counted") {
    Shelf shelf;
    const auto bytes = pattern(1'000'000);
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    {
        auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
        REQUIRE(writer.append(ByteView(bytes).first(300'000)));
        REQUIRE(*writer.flush() == 300'000);
        REQUIRE(writer.append(ByteView(bytes).subspan(300'000, 100'000)));
    }  // crash: the rest was only in memory
    shelf.reopen();
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device)->offset == 300'000);
}

TEST_CASE("who comes later takes over, and the earlier writer changes nothing any more") {
    Shelf shelf;
    const auto bytes = pattern(500'000);
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    int hung_up = 0;
    auto first = shelf.media->write(shelf.blob, shelf.anna.device, [&] { ++hung_up; }).value();
    REQUIRE(first.append(ByteView(bytes).first(100'000)));
    auto second = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    CHECK(hung_up == 1);
    CHECK(first.flush().error().code == Errc::upload_locked);
    CHECK(second.offset() == 0);
    REQUIRE(second.append(bytes));
    REQUIRE(second.flush());
    CHECK(shelf.content(shelf.blob) == bytes);
}

TEST_CASE("an earlier writer that ends when it is asked to loses nothing that it had taken") {
    Shelf shelf;
    const auto bytes = pattern(500'000);
    REQUIRE(shelf.create(shelf.blob, shelf.anna, bytes.size()));
    bool asked = false, gone = false;
    std::optional<UploadWriter> earlier =
        std::move(*shelf.media->write(shelf.blob, shelf.anna.device, [&] { asked = true; }));
    REQUIRE(earlier->append(ByteView(bytes).first(100'000)));
    const auto place = shelf.media->approach(shelf.blob, shelf.anna.device).value();
    CHECK(asked);
    CHECK_FALSE(place.settled());
    place.when_settled([&] { gone = true; });
    REQUIRE(earlier->flush());
    CHECK_FALSE(gone);
    earlier.reset();
    CHECK(gone);
    CHECK(place.settled());
    CHECK(shelf.media->write(place, {})->offset() == 100'000);
}

TEST_CASE("of many that wait for an upload the newest gets it, and each of the others is told at once") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 500'000));
    int hung_up = 0;
    std::optional<UploadWriter> earlier =
        std::move(*shelf.media->write(shelf.blob, shelf.anna.device, [&] { ++hung_up; }));
    std::vector<MediaStore::Place> places;
    std::vector<int> called(5);
    for (std::size_t i = 0; i < called.size(); ++i) {
        places.push_back(shelf.media->approach(shelf.blob, shelf.anna.device).value());
        places.back().when_settled([&called, i] { ++called[i]; });
    }
    CHECK(hung_up == 1);
    CHECK(called == std::vector{1, 1, 1, 1, 0});
    CHECK(shelf.media->approach(shelf.blob, shelf.bernd.device).error().code == Errc::not_found);  // disturbs nobody
    CHECK(called == std::vector{1, 1, 1, 1, 0});
    for (std::size_t i = 0; i < 4; ++i) CHECK(shelf.media->write(places[i], {}).error().code == Errc::upload_locked);
    REQUIRE(earlier->append(pattern(1'000)));
    REQUIRE(earlier->flush());  // none of them has taken anything from it
    earlier.reset();
    CHECK(called == std::vector{1, 1, 1, 1, 1});
    const auto newest = shelf.media->write(places[4], {}).value();
    CHECK(newest.offset() == 1'000);
    places[0].when_settled([&] { ++called[0]; });  // who is late need not wait either
    CHECK(called[0] == 2);
}

TEST_CASE("uploads of others are not there for anybody") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 10));
    CHECK(shelf.create(shelf.blob, shelf.anna, 10));  // the same again
    CHECK(shelf.create(shelf.blob, shelf.anna, 11).error().code == Errc::exists);
    CHECK(shelf.create(shelf.blob, shelf.bernd, 10).error().code == Errc::exists);
    CHECK(shelf.media->take_over(shelf.blob, shelf.bernd.device).error().code == Errc::not_found);
    CHECK(shelf.media->remove(shelf.blob, shelf.bernd).error().code == Errc::not_found);
    CHECK(shelf.media->find(shelf.blob).error().code == Errc::not_found);  // not finished
    CHECK(shelf.media->link(shelf.blob, shelf.anna.device, kStart + 7 * kDay).error().code == Errc::not_found);
}

TEST_CASE("more bytes than were promised are refused") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 10));
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(writer.append(pattern(10)));
    CHECK(writer.append(pattern(1)).error().code == Errc::upload_length);
    CHECK(shelf.create(made<BlobId>(8), shelf.anna, shelf.limits.max_bytes + 1).error().code == Errc::too_large);
}

TEST_CASE("what no message names ends after a day, what one names with it; the quota comes back") {
    Shelf shelf;
    const BlobId linked = made<BlobId>(8);
    shelf.upload(shelf.blob, pattern(9'000'000));
    shelf.upload(linked, pattern(9'000'000));
    CHECK(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000).error().code == Errc::quota);
    CHECK(shelf.create(made<BlobId>(9), shelf.bernd, 9'000'000));  // each its own
    REQUIRE(shelf.media->link(linked, shelf.anna.device, kStart + 7 * kDay));
    shelf.clock.time += kDay;
    CHECK(shelf.media->find(shelf.blob).error().code == Errc::not_found);
    CHECK(*shelf.media->expire() == 2);
    CHECK(shelf.content(linked) == pattern(9'000'000));
    shelf.reopen();
    CHECK(shelf.create(made<BlobId>(10), shelf.anna, 9'000'000));
    shelf.clock.time = kStart + 7 * kDay;
    CHECK(shelf.media->find(linked).error().code == Errc::not_found);
    CHECK(*shelf.media->expire() == 2);
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
    CHECK(shelf.store.partitions(store::Family::media_index, {}, 10)->empty());
}

TEST_CASE("a link never shortens a life") {
    Shelf shelf;
    shelf.upload(shelf.blob, pattern(100));
    REQUIRE(shelf.media->link(shelf.blob, shelf.anna.device, kStart + 7 * kDay));
    REQUIRE(shelf.media->link(shelf.blob, shelf.anna.device, kStart + kDay));
    CHECK(shelf.media->find(shelf.blob)->expires == kStart + 7 * kDay);
}
