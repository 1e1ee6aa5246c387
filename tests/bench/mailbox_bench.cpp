// What the mailroom costs beside the disk it writes to: messages of 50 senders to 50 receivers, 64 in a batch of the
// broker's plugin, each synced before it is accepted, delivered, acknowledged; over RocksDB. Beside it the same bytes
// as bare synced batches of RocksDB. And one message to ten thousand devices that are here.
#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "bench/fixture.hpp"
#include "mailbox/mailroom.hpp"
#include "nimes/batch.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/message.hpp"
#include "nimes/v1/transport.pb.h"
#include "store/rocksdb_store.hpp"

namespace nimes::bench {
namespace {

using namespace gateway;
using namespace gateway::mailbox;

constexpr std::size_t kPeople = 100;  // the even ones write to the odd ones
constexpr std::size_t kInBatch = 64;
constexpr std::size_t kSealed = 240;

template <class IdType>
IdType numbered(std::uint64_t n) {
    IdType out{};
    Writer bytes;
    bytes.u64(n * 0x9e3779b97f4a7c15).u64(n);
    std::copy_n(bytes.view().begin(), std::min<std::size_t>(16, IdType::size), out.bytes.begin());
    return out;
}
template <class IdType>
std::string raw(const IdType& id) {
    return std::string(as_text(id.view()));
}

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "nimes-bench-XXXXXX").string();
        path = mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

struct Directory final : People {
    std::unordered_map<DeviceId, UserId> users;
    std::unordered_map<UserId, std::vector<Target>> devices;
    void add(const UserId& user, const DeviceId& device) {
        users[device] = user;
        devices[user].push_back({device, user, static_cast<std::uint32_t>(users.size())});
    }
    Result<UserId> sender(const DeviceId& device) const override { return users.at(device); }
    Result<std::vector<Target>> devices_of(const UserId& user) const override { return devices.at(user); }
    HeadHint head_since(std::uint64_t) const override { return {1, {}, false}; }
    std::uint32_t seal_batch(const DeviceId&) const override { return 1; }
};

struct NoMedia final : MediaLinks {
    Result<void> link(const BlobId&, const DeviceId&, Millis) override { return fail(Errc::not_found); }
};

struct Counting final : Outlet {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t finished = 0;
    std::uint64_t packets = 0;
    void send(const DeviceId&, ByteView) override { ++packets; }
    void done(std::size_t, std::uint64_t) override {
        const std::lock_guard lock(mutex);
        ++finished;
    }
    void flush() override { changed.notify_all(); }
    void wait(std::uint64_t until) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return finished >= until; });
    }
};

struct Room {
    Folder folder;
    std::unique_ptr<store::Store> store;
    Directory people;
    NoMedia media;
    Counting outlet;
    SystemClock clock;
    operations::Metrics metrics{"bench", "bench"};
    operations::Log log{clock, operations::Level::error};
    std::optional<Mailroom> room;
    std::uint64_t batches = 0;

    explicit Room(Options options = {}) {
        store::RocksOptions rocks;
        rocks.floor_bytes = 0;
        store = std::move(*store::open_rocksdb(folder.path, rocks));
        room.emplace(Mailroom::Needs{*store, people, media, outlet, clock, metrics, log}, options);
        room->start();
    }
    ~Room() { room->stop(); }
    void send(Bytes batch) {
        UpBatch::seal(batch, ++batches, 0, 0);
        room->batch(std::move(batch));
    }
    void hello(const std::vector<DeviceId>& devices) {
        v1::Up up;
        up.mutable_hello();
        const auto bytes = up.SerializeAsString();
        auto batch = UpBatch::begin();
        for (const auto& d : devices) append_packet(batch, d, as_bytes(bytes));
        send(std::move(batch));
        outlet.wait(batches);
    }
};

DeviceId device_of(std::size_t person) { return numbered<DeviceId>(1'000 + person); }
UserId user_of(std::size_t person) { return numbered<UserId>(person + 1); }

std::string submission(std::size_t from, std::size_t to, std::uint64_t number) {
    v1::Up up;
    auto& s = *up.mutable_submit();
    s.set_message_id(raw(numbered<MessageId>(number + 1)));
    s.set_lane(v1::LANE_CHAT);
    s.set_conversation(raw(pair_id(user_of(from), user_of(to))));
    s.add_users(raw(user_of(from)));
    s.add_users(raw(user_of(to)));
    MessageHeader header;
    header.chain = numbered<ChainId>(from);
    header.index = static_cast<std::uint32_t>(number);
    auto wire = header.encode();
    wire.resize(std::max(kSealed, wire.size() + 16 + 64 + 128), 0x5a);
    s.set_message(std::string(as_text(wire)));
    return up.SerializeAsString();
}

void mailroom(benchmark::State& state) {
    Room room;
    std::vector<DeviceId> all;
    for (std::size_t p = 0; p < kPeople; ++p) {
        room.people.add(user_of(p), device_of(p));
        all.push_back(device_of(p));
    }
    room.hello(all);
    std::uint64_t number = 0;
    std::vector<std::uint64_t> newest(kPeople);
    const auto next_batch = [&] {
        auto batch = UpBatch::begin();
        for (std::size_t p = 1; p < kPeople; p += 2) {
            if (newest[p] == 0) continue;
            v1::Up up;
            auto& mark = *up.mutable_ack()->add_held();
            mark.set_lane(v1::LANE_CHAT);
            mark.set_sequence(newest[p]);
            append_packet(batch, device_of(p), as_bytes(up.SerializeAsString()));
        }
        for (std::size_t i = 0; i < kInBatch; ++i, ++number) {
            const auto from = (number % (kPeople / 2)) * 2;
            append_packet(batch, device_of(from), as_bytes(submission(from, from + 1, number)));
            ++newest[from + 1];
        }
        return batch;
    };
    constexpr std::uint64_t kUnderWay = 4;
    for (auto _ : state) {
        room.outlet.wait(room.batches >= kUnderWay ? room.batches - kUnderWay + 1 : 0);
        room.send(next_batch());
    }
    room.outlet.wait(room.batches);
    state.SetItemsProcessed(static_cast<std::int64_t>(number));
    state.counters["packets_per_message"] = static_cast<double>(room.outlet.packets) / static_cast<double>(number);
}

void bare_rocksdb(benchmark::State& state) {
    Folder folder;
    store::RocksOptions rocks;
    rocks.floor_bytes = 0;
    const auto store = std::move(*store::open_rocksdb(folder.path, rocks));
    std::uint64_t number = 0;
    const Bytes body(kSealed + 90, 0x5a), entry(56, 1), time(8, 2);
    for (auto _ : state) {
        std::vector<store::Batch> batches;
        for (std::size_t i = 0; i < kInBatch; ++i, ++number) {
            const auto id = raw(numbered<MessageId>(number + 1));
            const auto name = raw(device_of(number % kPeople));
            batches.emplace_back(store::Partition{store::Family::mailbox, name});
            batches.back().put("d" + id, time).put("e1" + store::key_u64(number), entry);
            batches.emplace_back(store::Partition{store::Family::bodies, "12345678"}).put(name + id, body);
        }
        if (!require(state, store->commit(batches, store::Sync::yes).has_value(), "commit")) return;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(number));
}

void fan_out(benchmark::State& state) {
    const auto devices = static_cast<std::size_t>(state.range(0));
    Room room;
    room.people.add(user_of(0), device_of(0));
    std::vector<DeviceId> all;
    for (std::size_t d = 1; d <= devices; ++d) {
        room.people.add(user_of(1), device_of(d));
        all.push_back(device_of(d));
    }
    room.hello(all);
    std::uint64_t number = 0;
    for (auto _ : state) {
        auto batch = UpBatch::begin();
        append_packet(batch, device_of(0), as_bytes(submission(0, 1, number++)));
        room.send(std::move(batch));
        room.outlet.wait(room.batches);
        state.PauseTiming();
        auto acks = UpBatch::begin();
        for (const auto& d : all) {
            v1::Up up;
            auto& mark = *up.mutable_ack()->add_held();
            mark.set_lane(v1::LANE_CHAT);
            mark.set_sequence(number);
            append_packet(acks, d, as_bytes(up.SerializeAsString()));
        }
        room.send(std::move(acks));
        room.outlet.wait(room.batches);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(number * devices));
}

BENCHMARK(mailroom)->Name("mailroom_batch_of_64")->UseRealTime();
BENCHMARK(bare_rocksdb)->Name("mailroom_batch_of_64/peer/rocksdb_synced")->UseRealTime();
BENCHMARK(fan_out)->Name("mailroom_fan_out")->Arg(10'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nimes::bench
