#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "media/media_store.hpp"
#include "media/ranges.hpp"
#include "media/upload_head.hpp"
#include "store/memory_store.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::media;

namespace {

constexpr Millis kStart = 1'780'000'000'000;

struct FakeClock final : Clock {
    Millis time = kStart;
    Millis now() const override { return time; }
    Millis boot() const override { return time; }
};

template <class IdType>
IdType made(std::uint8_t n) {
    IdType out;
    out.bytes.fill(n);
    return out;
}

Bytes pattern(std::size_t n) {
    Bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 31 >> 3);
    return out;
}

struct Shelf {
    store::MemoryStore store;
    FakeClock clock;
    Limits limits{10'000'000, 20'000'000, kDay};
    std::unique_ptr<MediaStore> media = MediaStore::open(store, clock, limits).value();
    DeviceId anna = made<DeviceId>(1), bernd = made<DeviceId>(2);
    BlobId blob = made<BlobId>(7);

    void reopen() { media = MediaStore::open(store, clock, limits).value(); }
    Bytes content(const BlobId& id) {
        Bytes out;
        const auto head = media->find(id).value();
        for (std::uint64_t i = 0; out.size() < head.length; ++i) {
            const auto block = media->read(id, i).value();
            out.insert(out.end(), block.begin(), block.end());
        }
        return out;
    }
    void upload(const BlobId& id, const Bytes& bytes) {
        REQUIRE(media->create(id, anna, bytes.size()));
        auto writer = media->write(id, anna, {}).value();
        REQUIRE(writer.append(bytes));
        REQUIRE(writer.flush());
    }
};

}  // namespace

TEST_CASE("an upload in pieces of any size, with restarts between, is the bytes that were sent") {
    for (const std::size_t piece : {1u, 1'000u, 65'552u, 262'144u, 1'048'576u, 3'000'000u}) {
        Shelf shelf;
        const auto bytes = pattern(piece == 1 ? 3'000 : 2'600'001);
        REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
        std::uint64_t offset = 0;
        for (int round = 0; offset < bytes.size(); ++round) {
            auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
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
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    {
        auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
        REQUIRE(writer.append(ByteView(bytes).first(300'000)));
        REQUIRE(*writer.flush() == 300'000);
        REQUIRE(writer.append(ByteView(bytes).subspan(300'000, 100'000)));
    }  // crash: the rest was only in memory
    shelf.reopen();
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna)->offset == 300'000);
}

TEST_CASE("who comes later takes over, and the earlier writer changes nothing any more") {
    Shelf shelf;
    const auto bytes = pattern(500'000);
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    int hung_up = 0;
    auto first = shelf.media->write(shelf.blob, shelf.anna, [&] { ++hung_up; }).value();
    REQUIRE(first.append(ByteView(bytes).first(100'000)));
    auto second = shelf.media->write(shelf.blob, shelf.anna, {}).value();
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
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, bytes.size()));
    std::promise<void> asked;
    std::thread earlier([&] {
        auto writer = shelf.media->write(shelf.blob, shelf.anna, [&] { asked.set_value(); }).value();
        REQUIRE(writer.append(ByteView(bytes).first(100'000)));
        asked.get_future().wait();
        REQUIRE(writer.flush());
    });
    while (shelf.media->create(shelf.blob, shelf.anna, bytes.size())->offset == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (shelf.media->take_over(shelf.blob, shelf.anna)->offset == 100'000) break;
    }
    earlier.join();
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna)->offset == 100'000);
}

TEST_CASE("uploads of others are not there for anybody") {
    Shelf shelf;
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, 10));
    CHECK(shelf.media->create(shelf.blob, shelf.anna, 10));  // the same again
    CHECK(shelf.media->create(shelf.blob, shelf.anna, 11).error().code == Errc::exists);
    CHECK(shelf.media->create(shelf.blob, shelf.bernd, 10).error().code == Errc::exists);
    CHECK(shelf.media->take_over(shelf.blob, shelf.bernd).error().code == Errc::not_found);
    CHECK(shelf.media->remove(shelf.blob, shelf.bernd).error().code == Errc::not_found);
    CHECK(shelf.media->find(shelf.blob).error().code == Errc::not_found);  // not finished
    CHECK(shelf.media->link(shelf.blob, shelf.anna, kStart + 7 * kDay).error().code == Errc::not_found);
}

TEST_CASE("more bytes than were promised are refused") {
    Shelf shelf;
    REQUIRE(shelf.media->create(shelf.blob, shelf.anna, 10));
    auto writer = shelf.media->write(shelf.blob, shelf.anna, {}).value();
    REQUIRE(writer.append(pattern(10)));
    CHECK(writer.append(pattern(1)).error().code == Errc::upload_length);
    CHECK(shelf.media->create(made<BlobId>(8), shelf.anna, shelf.limits.max_bytes + 1).error().code == Errc::too_large);
}

TEST_CASE("what no message names ends after a day, what one names with it; the quota comes back") {
    Shelf shelf;
    const BlobId linked = made<BlobId>(8);
    shelf.upload(shelf.blob, pattern(9'000'000));
    shelf.upload(linked, pattern(9'000'000));
    CHECK(shelf.media->create(made<BlobId>(9), shelf.anna, 9'000'000).error().code == Errc::quota);
    CHECK(shelf.media->create(made<BlobId>(9), shelf.bernd, 9'000'000));  // each its own
    REQUIRE(shelf.media->link(linked, shelf.anna, kStart + 7 * kDay));
    shelf.clock.time += kDay;
    CHECK(shelf.media->find(shelf.blob).error().code == Errc::not_found);
    CHECK(*shelf.media->expire() == 2);
    CHECK(shelf.content(linked) == pattern(9'000'000));
    shelf.reopen();
    CHECK(shelf.media->create(made<BlobId>(10), shelf.anna, 9'000'000));
    shelf.clock.time = kStart + 7 * kDay;
    CHECK(shelf.media->find(linked).error().code == Errc::not_found);
    CHECK(*shelf.media->expire() == 2);
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
    CHECK(shelf.store.partitions(store::Family::media_index, {}, 10)->empty());
}

TEST_CASE("a link never shortens a life") {
    Shelf shelf;
    shelf.upload(shelf.blob, pattern(100));
    REQUIRE(shelf.media->link(shelf.blob, shelf.anna, kStart + 7 * kDay));
    REQUIRE(shelf.media->link(shelf.blob, shelf.anna, kStart + kDay));
    CHECK(shelf.media->find(shelf.blob)->expires == kStart + 7 * kDay);
}

TEST_CASE("headers of tus: what they must be, and nothing else") {
    const auto creation = [](const char* length, const char* metadata) {
        return read_creation(http::Headers().set("Upload-Length", length).set("Upload-Metadata", metadata), 1'000);
    };
    const char* good = "id AQIDBAUGBwgJCgsMDQ4PEA==";
    CHECK(creation("10", good)->blob.bytes[15] == 16);
    CHECK(creation("10", (std::string("type image,") + good).c_str()));
    CHECK(creation("0", good)->length == 0);
    for (const char* length : {"", "-1", "+1", "1e3", "0x10", "99999999999999999999", " 1"})
        CHECK(creation(length, good).error().code == Errc::upload_length);
    CHECK(creation("1001", good).error().code == Errc::too_large);
    for (const char* metadata : {"", "id", "id AQID", "id AQIDBAUGBwgJCgsMDQ4PEB==", "id AQIDBAUGBwgJCgsMDQ4PEA",
                                 "name AQIDBAUGBwgJCgsMDQ4PEA=="})
        CHECK(creation("10", metadata).error().code == Errc::malformed);
    CHECK(check_version(http::Headers().set("Tus-Resumable", "1.0.0")));
    CHECK(check_version(http::Headers().set("Tus-Resumable", "0.2.2")).error().code == Errc::tus_version);
    CHECK(read_offset(http::Headers().set("Upload-Offset", "5")).error().code == Errc::media_type);
    CHECK(*read_offset(
              http::Headers().set("Upload-Offset", "5").set("Content-Type", "application/offset+octet-stream")) == 5);
    CHECK(http_date(784'111'777'000) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("ranges as RFC 9110 has them") {
    const auto part = [](const char* field) { return read_range(field, 1'000).value(); };
    CHECK(part("bytes=0-499") == ByteRange{0, 500});
    CHECK(part("bytes=500-") == ByteRange{500, 500});
    CHECK(part("bytes=-200") == ByteRange{800, 200});
    CHECK(part("bytes=-2000") == ByteRange{0, 1'000});
    CHECK(part("bytes=999-5000") == ByteRange{999, 1});
    for (const char* whole : {"", "bytes=", "bytes=a-b", "items=0-1", "bytes=5-4", "bytes=0-1,3-4", "bytes=--1"})
        CHECK(part(whole) == std::nullopt);
    CHECK(read_range("bytes=1000-", 1'000).error().code == Errc::range_unsatisfiable);
    CHECK(read_range("bytes=-0", 1'000).error().code == Errc::range_unsatisfiable);
    CHECK(read_range("bytes=0-", 0).error().code == Errc::range_unsatisfiable);
}
