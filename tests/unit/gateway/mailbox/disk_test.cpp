// What the mailbox costs on a real disk: space that comes back, and a start with much in it.
#include <chrono>
#include <filesystem>
#include <thread>

#include "mailbox/expiry.hpp"
#include "post.hpp"
#include "store/rocksdb_store.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::mailbox;

namespace {

struct Disk {
    std::filesystem::path folder;
    std::unique_ptr<store::Store> store;
    FakePeople people;
    FakeMedia media;
    Options options;
    std::optional<Committer> committer;

    Disk() {
        std::string name = (std::filesystem::temp_directory_path() / "nimes-mailbox-XXXXXX").string();
        folder = mkdtemp(name.data());
        store::RocksOptions rocks;
        rocks.floor_bytes = 0;
        store = std::move(*store::open_rocksdb(folder, rocks));
        committer.emplace(*store, people, media, options);
    }
    ~Disk() {
        committer.reset();
        store.reset();
        std::filesystem::remove_all(folder);
    }
    [[nodiscard]] std::uintmax_t tables() const {
        std::uintmax_t out = 0;
        for (const auto& file : std::filesystem::directory_iterator(folder))
            if (file.path().extension() == ".sst") out += file.file_size();
        return out;
    }
};

Waiting submission(std::uint32_t number, Bytes payload) {
    Waiting out;
    out.sender = made<DeviceId>(10);
    out.submit.pair = {made<UserId>(1), made<UserId>(2)};
    out.submit.conversation = pair_id(made<UserId>(1), made<UserId>(2));
    out.submit.id.bytes = {};
    for (std::size_t i = 0; i < 4; ++i) out.submit.id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    out.submit.payload = std::move(payload);
    return out;
}

}  // namespace

TEST_CASE("expired messages give their disk space back") {
    Disk disk;
    SystemRandom random;
    disk.options.max_entries = 100'000;
    for (std::uint32_t round = 0; round < 60; ++round) {
        std::vector<Waiting> waiting;
        for (std::uint32_t i = 0; i < 100; ++i) {
            auto payload = wire_message(made<ChainId>(1), i, 8'192);
            random.fill(payload);
            waiting.push_back(submission(round * 100 + i, std::move(payload)));
        }
        // Payloads are checked at ingest; here only their bytes matter.
        for (auto& w : waiting) w.submit.kind = Payload::control, w.submit.device = made<DeviceId>(20);
        for (const auto& outcome : disk.committer->commit(waiting, kStart)) REQUIRE(outcome.accepted);
    }
    const auto before = disk.tables();
    REQUIRE(before > 30'000'000);
    Expiry expiry(*disk.store, *disk.committer, disk.options);
    REQUIRE(expiry.step(kStart + disk.options.retention + 2 * kHour));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (disk.tables() > before / 10 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(disk.tables() < before / 10);
}
