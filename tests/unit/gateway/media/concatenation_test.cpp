// Parts that were uploaded side by side are one medium: without a copy, once, and until the whole ends.
#include "wire.hpp"

using namespace wire;
using media::MediumHead;
using shelf::Shelf;

namespace {

void put_part(Shelf& shelf, const BlobId& id, ByteView bytes) {
    REQUIRE(shelf.media->create(id, shelf.anna, {bytes.size(), true}));
    auto writer = shelf.media->write(id, shelf.anna.device, {}).value();
    REQUIRE(writer.append(bytes));
    REQUIRE(writer.flush());
}

const BlobId kOne = made<BlobId>(21), kTwo = made<BlobId>(22), kThree = made<BlobId>(23);

}  // namespace

TEST_CASE("a concatenation reads as its parts one after the other, and no byte is written again") {
    Shelf shelf;
    const auto bytes = pattern(2'000'000);
    put_part(shelf, kOne, ByteView(bytes).first(700'001));
    put_part(shelf, kTwo, ByteView(bytes).subspan(700'001, 0));
    put_part(shelf, kThree, ByteView(bytes).subspan(700'001));
    const auto before = shelf.store.block_puts.load();
    REQUIRE(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo, kThree}));
    CHECK(shelf.store.block_puts == before);
    CHECK(shelf.content(shelf.blob) == bytes);
    CHECK(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo, kThree})->length == bytes.size());  // once more
    shelf.reopen();
    CHECK(shelf.content(shelf.blob) == bytes);
    CHECK(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kThree}).error().code == Errc::exists);
    CHECK(shelf.media->compose(made<BlobId>(9), shelf.anna, {kOne}).error().code == Errc::exists);  // it is used
    CHECK(shelf.media->find(kOne).error().code == Errc::not_found);  // a part is nobody's to read
    CHECK(shelf.media->link(kOne, shelf.anna.device, shelf::kStart + 7 * kDay).error().code == Errc::not_found);
}

TEST_CASE("parts live as long as the whole, and end with it") {
    Shelf shelf;
    const auto bytes = pattern(900'000);
    put_part(shelf, kOne, ByteView(bytes).first(400'000));
    put_part(shelf, kTwo, ByteView(bytes).subspan(400'000));
    put_part(shelf, kThree, bytes);  // nobody uses it
    REQUIRE(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo}));
    CHECK(shelf.media->remove(kOne, shelf.anna).error().code == Errc::forbidden);
    REQUIRE(shelf.media->link(shelf.blob, shelf.anna.device, shelf::kStart + 7 * kDay));
    for (int day = 1; day < 7; ++day) {
        shelf.clock.time = shelf::kStart + static_cast<Millis>(day) * kDay;
        CHECK(*shelf.media->expire() == (day == 1 ? 1 : 0));
        shelf.reopen();
        CHECK(shelf.content(shelf.blob) == bytes);
    }
    shelf.clock.time = shelf::kStart + 7 * kDay;
    CHECK(*shelf.media->expire() > 0);
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
    CHECK(shelf.store.partitions(store::Family::media_index, {}, 10)->empty());
}

TEST_CASE("a concatenation that is taken back takes its parts with it, and their quota") {
    Shelf shelf;
    put_part(shelf, kOne, pattern(9'000'000));
    put_part(shelf, kTwo, pattern(1'000'000));
    REQUIRE(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo}));
    REQUIRE(shelf.create(made<BlobId>(9), shelf.anna, 9'000'000));
    CHECK(shelf.create(made<BlobId>(10), shelf.anna, 9'000'000).error().code == Errc::quota);
    const media::Uploader tablet{shelf.anna.user, made<DeviceId>(3)};  // another device of the same person recalls it
    REQUIRE(shelf.media->remove(shelf.blob, tablet));
    CHECK(shelf.create(made<BlobId>(10), shelf.anna, 9'000'000));
    CHECK(shelf.store.partitions(store::Family::media_blocks, {}, 10)->empty());
}

TEST_CASE("what cannot be concatenated") {
    Shelf shelf;
    put_part(shelf, kOne, pattern(10));
    REQUIRE(shelf.media->create(kTwo, shelf.anna, {10, true}));
    shelf.upload(kThree, pattern(10));
    const auto refused = [&](const std::vector<BlobId>& parts, const media::Uploader& who) {
        return shelf.media->compose(shelf.blob, who, parts).error().code;
    };
    CHECK(refused({}, shelf.anna) == Errc::malformed);
    CHECK(refused({kOne, kOne}, shelf.anna) == Errc::malformed);
    CHECK(refused({kOne, kTwo}, shelf.anna) == Errc::upload_length);  // not finished
    CHECK(refused({kThree}, shelf.anna) == Errc::not_found);          // no part
    CHECK(refused({made<BlobId>(99)}, shelf.anna) == Errc::not_found);
    CHECK(refused({kOne}, shelf.bernd) == Errc::not_found);
    put_part(shelf, made<BlobId>(31), pattern(6'000'000));
    put_part(shelf, made<BlobId>(32), pattern(6'000'000));
    CHECK(refused({made<BlobId>(31), made<BlobId>(32)}, shelf.anna) == Errc::too_large);
    CHECK(shelf.media->compose(shelf.blob, shelf.anna, {kOne}));  // none of it has used the part up
}

TEST_CASE("a crash between the claim of the parts and the whole loses neither") {
    for (const std::size_t applied : {0u, 1u}) {
        Shelf shelf;
        const auto bytes = pattern(900'000);
        put_part(shelf, kOne, ByteView(bytes).first(400'000));
        put_part(shelf, kTwo, ByteView(bytes).subspan(400'000));
        shelf.store.crash_after = applied;
        CHECK_FALSE(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo}));
        shelf.store.crash_after.reset();
        shelf.reopen();
        REQUIRE(shelf.media->compose(shelf.blob, shelf.anna, {kOne, kTwo}));
        CHECK(shelf.content(shelf.blob) == bytes);
    }
}

TEST_CASE("concatenation on the wire") {
    const Post post;
    const auto data = text(600'000);
    const auto part = [&](const std::string& bytes) {
        const auto answer = post.ask(
            "POST", "/v1/media",
            {kVersion, kType, "Upload-Concat: partial", "Upload-Length: " + std::to_string(bytes.size())}, bytes);
        REQUIRE(answer.status == 201);
        const auto at = answer.headers.find("Location: ") + 10;
        return answer.headers.substr(at, answer.headers.find("\r\n", at) - at);
    };
    const auto one = part(data.substr(0, 250'000)), two = part(data.substr(250'000));
    CHECK(one != two);
    CHECK(post.ask("HEAD", one, {kVersion}).has("Upload-Concat: partial"));
    CHECK(post.ask("GET", one, {}).status == 404);
    const auto whole = "Upload-Concat: final;" + one + " https://elsewhere.example" + two;
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, whole, "Upload-Length: 600000"}).status == 400);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, whole, kType}, "x").status == 403);
    for (int i = 0; i < 2; ++i) {
        const auto answer = post.ask("POST", "/v1/media", {kVersion, kId, whole});
        CHECK(answer.status == 201);
        CHECK(answer.has("Location: " + kPath));
        CHECK(answer.has("Upload-Offset: 600000"));
    }
    const auto head = post.head();
    CHECK(head.has("Upload-Length: 600000"));
    CHECK(head.has("Upload-Concat: final;" + one + " " + two));
    CHECK(post.patch(600'000, "x").status == 403);
    CHECK(post.get().body == data);
    CHECK(post.get({"Range: bytes=249990-250009"}).body == data.substr(249'990, 20));
    CHECK(post.ask("DELETE", two, {kVersion}).status == 403);
    CHECK(post.ask("DELETE", kPath, {kVersion}).status == 204);
    CHECK(post.ask("HEAD", one, {kVersion}).status == 404);
}
