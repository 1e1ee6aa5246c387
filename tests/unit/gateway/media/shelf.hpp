// A media store on memory, with a clock that tests set and a store that tests look into.
#pragma once

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <optional>

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
    std::optional<std::size_t> crash_after;   // the next commits apply so many of their batches, then fail
    bool full = false;                        // the disk
    std::atomic<std::uint64_t> openings = 0;  // raised: as if the engine had been opened anew
    std::function<void()> before_blocks;      // called before blocks are stored, on the thread that does it
    std::atomic<std::size_t> block_puts = 0;

    [[nodiscard]] std::uint64_t opening() const override { return openings; }
    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        const auto puts = [](const auto& batch) {
            return std::any_of(batch.writes.begin(), batch.writes.end(),
                               [](const auto& w) { return w.kind == store::Batch::Write::Kind::put; });
        };
        if (full && std::any_of(batches.begin(), batches.end(), puts)) return fail(Errc::disk_full);
        for (const auto& batch : batches)
            if (batch.opening && *batch.opening != openings) return fail(Errc::storage);
        std::size_t blocks = 0;
        for (const auto& batch : batches)
            if (batch.partition.family == store::Family::media_blocks) blocks += batch.writes.size();
        if (blocks > 0 && before_blocks) before_blocks();
        block_puts += blocks;
        if (!crash_after) return memory_.commit(batches, sync);
        if (auto ok = memory_.commit(batches.first(std::min(*crash_after, batches.size())), sync); !ok) return ok;
        return fail(Errc::storage, "the power went");
    }
    Result<std::optional<Bytes>> get(const store::Partition& partition, std::string_view key) override {
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

inline media::Limits small_limits() {
    media::Limits out;
    out.max_bytes = 10'000'000;
    out.device_bytes = 20'000'000;
    out.user_bytes = 40'000'000;
    out.device_open = out.user_open = 1'000;
    return out;
}

// What a reader gets, a little at a time.
inline Bytes content(media::MediaStore& media, const BlobId& id) {
    const auto head = media.find(id).value();
    Bytes out(static_cast<std::size_t>(head.length));
    for (std::size_t at = 0; at < out.size();) {
        const auto n =
            media.read(id, head, at, std::span(out).subspan(at).first(std::min<std::size_t>(out.size() - at, 70'001)))
                .value();
        REQUIRE(n > 0);
        at += n;
    }
    return out;
}

struct Shelf {
    HookedStore store;
    FakeClock clock;
    media::Limits limits = small_limits();
    std::unique_ptr<media::MediaStore> media = media::MediaStore::open({store, clock}, limits).value();
    media::Uploader anna{made<UserId>(1), made<DeviceId>(1)}, bernd{made<UserId>(2), made<DeviceId>(2)};
    BlobId blob = made<BlobId>(7);

    void reopen() { media = media::MediaStore::open({store, clock}, limits).value(); }
    Bytes content(const BlobId& id) { return shelf::content(*media, id); }
    Result<media::MediumHead> create(const BlobId& id, const media::Uploader& who, std::uint64_t length) {
        return media->create(id, who, {length, false});
    }
    void upload(const BlobId& id, const Bytes& bytes) {
        REQUIRE(create(id, anna, bytes.size()));
        auto writer = media->write(id, anna.device, {}).value();
        REQUIRE(writer.append(bytes));
        REQUIRE(writer.flush());
    }
};

}  // namespace shelf
