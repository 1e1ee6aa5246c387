// What media leave behind when they end: nothing on the disk, also when some of their neighbours live on.
#include <thread>

#include "../store/folder.hpp"
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;
using shelf::made;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t size_of(const std::filesystem::path& folder, std::string_view ending) {
    std::uint64_t out = 0;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder, error))
        if (file.path().extension() == ending) out += file.file_size(error);
    return out;
}

Bytes noise(std::size_t n, std::uint32_t seed) {
    Bytes out(n);
    for (auto& b : out) b = static_cast<std::uint8_t>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
    return out;
}

struct Disk {
    folders::Folder folder;
    std::filesystem::path path = folder.path / "store";
    std::unique_ptr<store::Store> store = folders::open(path);
    shelf::FakeClock clock;
    std::unique_ptr<media::MediaStore> media = media::MediaStore::open({*store, clock}, {}).value();
    media::Uploader anna{made<UserId>(1), made<DeviceId>(1)};

    void upload(std::uint8_t id, std::uint64_t bytes) {
        REQUIRE(media->create(made<BlobId>(id), anna, {bytes, false}));
        auto writer = media->write(made<BlobId>(id), anna.device, {}).value();
        REQUIRE(writer.append(noise(static_cast<std::size_t>(bytes), id)));
        REQUIRE(writer.flush());
    }
    bool comes_down_to(std::uint64_t bytes) const {
        for (int i = 0; i < 1'000 && size_of(path, ".blob") > bytes; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        CAPTURE(size_of(path, ".blob"));
        CHECK(size_of(path, ".blob") <= bytes);
        return size_of(path, ".blob") <= bytes;
    }
};

}  // namespace

TEST_CASE("the disk gets back what ended media took") {
    Disk disk;
    for (std::uint8_t i = 1; i <= 20; ++i) disk.upload(i, 8 * kMiB);
    CHECK(size_of(disk.path, ".blob") > 80 * kMiB);
    disk.clock.time += kDay + kHour;
    CHECK(*disk.media->expire() == 20);
    CHECK(disk.comes_down_to(kMiB));
}

TEST_CASE("the disk gets back what was taken back at once") {
    Disk disk;
    for (std::uint8_t i = 1; i <= 12; ++i) disk.upload(i, 8 * kMiB);
    for (std::uint8_t i = 1; i <= 12; ++i) REQUIRE(disk.media->remove(made<BlobId>(i), disk.anna));
    CHECK(*disk.media->expire() == 0);
    CHECK(disk.comes_down_to(kMiB));
}

TEST_CASE("what lives on among ended media keeps little of their space, and every byte of its own") {
    Disk disk;
    for (std::uint8_t i = 1; i <= 20; ++i) {
        disk.upload(i, 8 * kMiB);
        if (i % 5 == 0) REQUIRE(disk.media->link(made<BlobId>(i), disk.anna.device, disk.clock.time + 7 * kDay));
    }
    disk.clock.time += kDay + kHour;
    CHECK(*disk.media->expire() == 16);
    CHECK(disk.comes_down_to(4 * 8 * kMiB * 3 / 2));
    for (const std::uint8_t i : {std::uint8_t{5}, std::uint8_t{10}, std::uint8_t{15}, std::uint8_t{20}})
        CHECK(shelf::content(*disk.media, made<BlobId>(i)) == noise(8 * kMiB, i));
}
