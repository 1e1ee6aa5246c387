// A long medium passes through the server: what the process holds of it at once does not grow with its length.
#include <malloc.h>

#include "../http/client.hpp"
#include "media/routes.hpp"
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;

namespace {

constexpr std::uint64_t kLength = 50'000'000;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kAllowed = 8 * 1024 * 1024;  // buffers of one connection, a writer's block, arenas' slack
const BlobId kBlob = shelf::made<BlobId>(0x11);
const std::string kPath = "/v1/media/" + std::string(32, '1');

// Where blocks go that nobody keeps; one block answers for all of them.
class Sieve final : public store::Store {
  public:
    using Store::commit;
    std::atomic<std::size_t> largest = 0, blocks = 0;

    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        std::size_t bytes = 0;
        for (const auto& batch : batches)
            if (batch.partition.family == store::Family::media_blocks)
                for (const auto& write : batch.writes) bytes += write.bytes().size(), ++blocks;
            else if (auto ok = kept_.commit(batch, sync); !ok) return ok;
        largest = std::max(largest.load(), bytes);
        return {};
    }
    Result<std::optional<Bytes>> get(const store::Partition& partition, std::string_view key) override {
        if (partition.family != store::Family::media_blocks) return kept_.get(partition, key);
        return std::optional(Bytes(media::kBlock, 'x'));
    }
    Result<std::vector<store::Record>> scan(const store::Partition& p, std::string_view from, std::string_view until,
                                            std::size_t limit) override {
        return kept_.scan(p, from, until, limit);
    }
    Result<std::optional<store::Record>> last(const store::Partition& p, std::string_view from,
                                              std::string_view until) override {
        return kept_.last(p, from, until);
    }
    Result<std::vector<std::string>> partitions(store::Family family, std::string_view from,
                                                std::size_t limit) override {
        return kept_.partitions(family, from, limit);
    }
    Result<void> drop(const store::Partition& partition) override { return kept_.drop(partition); }
    Result<void> check() override { return {}; }

  private:
    store::MemoryStore kept_;
};

// Bytes that the heap has handed out. (Sanitizers have a heap of their own: there only the flow is tested.)
std::size_t held() {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

}  // namespace

TEST_CASE("fifty megabytes go in and out through a few blocks of memory") {
    Sieve store;
    const shelf::FakeClock clock;
    const auto media = media::MediaStore::open({store, clock}, {}).value();
    const operations::Metrics metrics("test", "test");
    web::Site site;
    SystemRandom random;
    media::add_routes(site.router, {*media, metrics, random, kLength});
    site.start();
    REQUIRE(media->create(kBlob, {UserId{}, web::Letters::device_of('a')}, {kLength, false}));
    const auto head = [&](const std::string& method) {
        return method + " " + kPath + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + web::Letters::header('a') +
               "\r\nTus-Resumable: 1.0.0\r\n";
    };
    const auto before = held();
    std::size_t most = 0;

    const web::Raw up(site.port);
    REQUIRE(up.send(head("PATCH") + "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n" +
                    "Content-Length: " + std::to_string(kLength) + "\r\n\r\n"));
    const std::string piece(kPiece, 'x');
    for (std::uint64_t sent = 0; sent < kLength; sent += kPiece) {
        REQUIRE(up.send(std::string_view(piece).substr(0, std::min<std::uint64_t>(kPiece, kLength - sent))));
        most = std::max(most, held() - std::min(held(), before));
    }
    CHECK(up.rest().starts_with("HTTP/1.1 204 "));
    CHECK(store.largest <= media::kBlock);
    CHECK(store.blocks >= kLength / media::kBlock);

    const web::Raw down(site.port);
    REQUIRE(down.send(head("GET") + "\r\n"));
    std::uint64_t came = 0;
    for (auto part = down.some(); !part.empty(); part = down.some()) {
        came += part.size();
        most = std::max(most, held() - std::min(held(), before));
    }
    CHECK(came > kLength);
    CAPTURE(most);
    CHECK(most < kAllowed);
    if (std::getenv("NIMES_SHOW") != nullptr) WARN("held at most " << most << " bytes more than before");
}
