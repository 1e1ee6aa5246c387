// Blocks that are on their way to the store while the next ones are received.
#include <future>

#include "shelf.hpp"

using namespace shelf;
using media::kBlock;
using media::WriteBehind;

namespace {

// A store whose writes of blocks wait until they are let through.
struct Held {
    Shelf shelf;
    std::promise<void> let;
    std::shared_future<void> through{let.get_future()};
    std::atomic<int> begun = 0;

    explicit Held(std::uint64_t length) {
        REQUIRE(shelf.create(shelf.blob, shelf.anna, length));
        shelf.store.before_blocks = [this] {
            ++begun;
            through.wait();
        };
    }
};

}  // namespace

TEST_CASE("the next block is received while one is on its way, and both are there in the end", "[media]") {
    Held held(3 * kBlock);
    const auto bytes = pattern(3 * kBlock);
    auto writer = held.shelf.media->write(held.shelf.blob, held.shelf.anna.device, {}).value();
    REQUIRE(writer.append(ByteView(bytes).first(2 * kBlock - 1)));  // would wait for ever if the first block did
    CHECK(writer.offset() == 2 * kBlock - 1);
    CHECK(writer.head().offset == 0);
    held.let.set_value();
    REQUIRE(writer.append(ByteView(bytes).subspan(2 * kBlock - 1)));
    CHECK(writer.flush().value() == 3 * kBlock);
    CHECK(held.begun == 3);
    CHECK(held.shelf.content(held.shelf.blob) == bytes);
}

TEST_CASE("what a block on its way became of is said by the next call, and nothing behind it is published", "[media]") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 3 * kBlock));
    const auto bytes = pattern(2 * kBlock);
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    shelf.store.full = true;
    REQUIRE(writer.append(ByteView(bytes).first(kBlock)));
    CHECK(writer.flush().error().code == Errc::disk_full);
    shelf.store.full = false;
    CHECK(writer.append(ByteView(bytes).subspan(kBlock)).error().code == Errc::disk_full);
    CHECK(writer.flush().error().code == Errc::disk_full);
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device).value().offset == 0);
}

TEST_CASE("the store was opened anew after its disk failed: what went before without a sync is not published",
          "[media]") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 3 * kBlock));
    const auto bytes = pattern(3 * kBlock);
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    REQUIRE(writer.append(ByteView(bytes).first(kBlock + 5)));
    shelf.store.openings = 1;
    CHECK(writer.flush().error().code == Errc::storage);
    CHECK(writer.append(ByteView(bytes).subspan(kBlock + 5)).error().code == Errc::storage);
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device).value().offset == 0);
    REQUIRE(shelf.media->remove(shelf.blob, shelf.anna));
    shelf.upload(shelf.blob, bytes);
    CHECK(shelf.content(shelf.blob) == bytes);
}

TEST_CASE("a write that throws is a block that is not there: nothing is published behind it", "[media]") {
    Shelf shelf;
    REQUIRE(shelf.create(shelf.blob, shelf.anna, 3 * kBlock));
    const auto bytes = pattern(2 * kBlock);
    auto writer = shelf.media->write(shelf.blob, shelf.anna.device, {}).value();
    shelf.store.before_blocks = [] { throw std::bad_alloc(); };
    REQUIRE(writer.append(ByteView(bytes).first(kBlock)));
    CHECK_THROWS(writer.flush());
    shelf.store.before_blocks = nullptr;
    CHECK(writer.flush().error().code == Errc::internal);
    CHECK(shelf.media->take_over(shelf.blob, shelf.anna.device).value().offset == 0);
}

TEST_CASE("a writer that ends waits for what is on its way: who comes next meets nothing of it", "[media]") {
    Held held(3 * kBlock);
    const auto bytes = pattern(kBlock);
    auto writer = std::make_unique<media::UploadWriter>(
        held.shelf.media->write(held.shelf.blob, held.shelf.anna.device, {}).value());
    REQUIRE(writer->append(bytes));
    auto ending = std::async(std::launch::async, [&] { writer.reset(); });
    CHECK(ending.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
    held.let.set_value();
    ending.get();
    CHECK(held.begun == 1);
}

TEST_CASE("only so many blocks are on their way at once: the next writer waits for its own", "[media]") {
    WriteBehind behind;
    std::promise<void> let;
    const auto through = let.get_future().share();
    const auto slow = [&](ByteView) -> Result<media::MediumHead> {
        through.wait();
        return media::MediumHead{};
    };
    std::vector<std::future<Result<media::MediumHead>>> under_way;
    for (std::size_t i = 0; i < WriteBehind::kBlocks; ++i) {
        Bytes block(8, static_cast<std::uint8_t>(i));
        auto begun = behind.begin(block, slow);
        REQUIRE(begun);
        CHECK(block.empty());  // a spare that was not used yet
        under_way.push_back(std::move(*begun));
    }
    Bytes block(8, 0xff);
    CHECK_FALSE(behind.begin(block, slow));
    CHECK(block == Bytes(8, 0xff));
    let.set_value();
    for (auto& one : under_way) REQUIRE(one.get());
    CHECK_THROWS(behind.begin(block, [](ByteView) -> Result<media::MediumHead> { throw std::bad_alloc(); })->get());
    for (std::size_t i = 0; i < 2 * WriteBehind::kBlocks; ++i) {
        auto begun = behind.begin(block, slow);  // a write that failed has given its buffer back
        REQUIRE(begun);
        REQUIRE(begun->get());
    }
}
