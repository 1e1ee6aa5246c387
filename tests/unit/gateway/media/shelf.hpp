// A media store on memory, with a clock that tests set and a store that tests look into.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <utility>

#include "media/media_store.hpp"
#include "store/memory_store.hpp"

namespace shelf {

using namespace nimes;
using namespace nimes::gateway;

inline constexpr Millis kStart = 1'780'000'000'000;

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

inline Bytes pattern(std::size_t n) {
    Bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 31 >> 3);
    return out;
}

// Hands everything on to a store in memory.
class HookedStore final : public store::Store {
  public:
    using Store::commit;
    std::function<void()> on_block_read;     // called once, before the next read of a block
    std::optional<std::size_t> crash_after;  // the next commits apply so many of their batches, then fail
    bool full = false;                       // the disk

    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        if (full) return fail(Errc::disk_full);
        if (!crash_after) return memory_.commit(batches, sync);
        if (auto ok = memory_.commit(batches.first(std::min(*crash_after, batches.size())), sync); !ok) return ok;
        return fail(Errc::storage, "the power went");
    }
    Result<std::optional<Bytes>> get(const store::Partition& partition, std::string_view key) override {
        if (partition.family == store::Family::media_blocks)
            if (const auto hook = std::exchange(on_block_read, {})) hook();
        return memory_.get(partition, key);
    }
    Result<std::vector<store::Record>> scan(const store::Partition& partition, std::string_view from,
                                            std::string_view until, std::size_t limit) override {
        return memory_.scan(partition, from, until, limit);
    }
    Result<std::optional<store::Record>> last(const store::Partition& partition, std::string_view from,
                                              std::string_view until) override {
        return memory_.last(partition, from, until);
    }
    Result<std::vector<std::string>> partitions(store::Family family, std::string_view from,
                                                std::size_t limit) override {
        return memory_.partitions(family, from, limit);
    }
    Result<void> drop(const store::Partition& partition) override { return memory_.drop(partition); }
    Result<void> check() override { return {}; }

  private:
    store::MemoryStore memory_;
};

struct Shelf {
    HookedStore store;
    FakeClock clock;
    media::Limits limits{10'000'000, 20'000'000, kDay};
    std::unique_ptr<media::MediaStore> media = media::MediaStore::open(store, clock, limits).value();
    DeviceId anna = made<DeviceId>(1), bernd = made<DeviceId>(2);
    BlobId blob = made<BlobId>(7);

    void reopen() { media = media::MediaStore::open(store, clock, limits).value(); }
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

}  // namespace shelf
