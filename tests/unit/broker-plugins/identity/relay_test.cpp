#include "identity/relay.hpp"

#include <catch2/catch.hpp>

#include "edge.hpp"
#include "nimes/batch.hpp"

using namespace nimes;
using namespace nimes::plugin;
using namespace nimes::test;

namespace {

constexpr std::size_t kMiB = 1U << 20;
constexpr Millis kStarted = 1'780'000'000'000;

struct Held : Relay {
    explicit Held(std::size_t limit = 8 * kMiB) : Relay(limit, kStarted) {}
    int gateway = 0;
    Millis boot = 1'000;

    void came() { gateway_came(&gateway); }
    std::vector<UpBatch> published;
    std::deque<Bytes> kept;
    // Everything that may go now.
    std::vector<UpBatch> drain() {
        std::vector<UpBatch> out;
        while (const auto* bytes = next(boot)) {
            kept.push_back(*bytes);
            out.push_back(UpBatch::parse(kept.back()).value());
        }
        return out;
    }
};

DeviceId device(std::uint8_t n) {
    DeviceId out;
    out.bytes.fill(n);
    return out;
}

}  // namespace

TEST_CASE("packets reach the gateway in the order they came, many in a batch", "[relay]") {
    Held relay;
    relay.came();
    for (std::uint8_t n = 0; n < 100; ++n) REQUIRE(relay.take(device(n), Bytes(n, n)));
    const auto batches = relay.drain();
    REQUIRE(batches.size() == 1);
    REQUIRE(batches[0].packets.size() == 100);
    for (std::uint8_t n = 0; n < 100; ++n) {
        CHECK(batches[0].packets[n].device == device(n));
        CHECK(to_bytes(batches[0].packets[n].bytes) == Bytes(n, n));
    }
    CHECK(relay.drain().empty());
    relay.done(batches[0].number);
    CHECK(relay.held_bytes() == 0);
}

TEST_CASE("a packet as large as the broker takes is a batch of its own", "[relay]") {
    Held relay;
    relay.came();
    REQUIRE(relay.take(device(1), Bytes(10, 1)));
    REQUIRE(relay.take(device(2), Bytes(topic::kMaxPacket, 2)));
    REQUIRE(relay.take(device(3), Bytes(10, 3)));
    const auto batches = relay.drain();
    REQUIRE(batches.size() == 3);
    CHECK(batches[1].packets.at(0).bytes.size() == topic::kMaxPacket);
    CHECK(batches[0].number < batches[1].number);
}

TEST_CASE("while no gateway is there packets are held, and handed out when one comes", "[relay]") {
    Held relay;
    for (int i = 0; i < 1'000; ++i) REQUIRE(relay.take(device(1), Bytes(1'000, 1)));
    CHECK(relay.drain().empty());
    relay.came();
    std::size_t packets = 0;
    for (auto batches = relay.drain(); !batches.empty(); batches = relay.drain())
        for (const auto& batch : batches) {
            packets += batch.packets.size();
            relay.done(batch.number);
        }
    CHECK(packets == 1'000);
    CHECK(relay.dropped() == 0);
}

TEST_CASE("a gateway that says nothing is given a window of batches and no more", "[relay]") {
    Held relay;
    relay.came();
    for (std::uint8_t n = 0; n < 100; ++n) REQUIRE(relay.take(device(n), Bytes(UpBatch::kFull - 100, 1)));
    const auto first = relay.drain();
    CHECK(first.size() == Relay::kWindow);
    CHECK(first[0].waiting > 0);
    relay.done(first[0].number);
    relay.done(first[0].number);  // said twice
    CHECK(relay.drain().size() == 1);
    relay.done(12'345);  // of nobody's
    CHECK(relay.drain().empty());
}

TEST_CASE("a batch that nobody finishes is handed out again, under its own number", "[relay]") {
    Held relay;
    relay.came();
    REQUIRE(relay.take(device(1), Bytes(10, 1)));
    const auto first = relay.drain();
    relay.boot += Relay::kRepeat - 1;
    CHECK(relay.drain().empty());
    relay.boot += 1;
    const auto again = relay.drain();
    REQUIRE(again.size() == 1);
    CHECK(again[0].number == first[0].number);
    relay.done(first[0].number);
    relay.boot += Relay::kRepeat;
    CHECK(relay.drain().empty());
}

TEST_CASE("what a gateway took with it when it went is given to the next one", "[relay]") {
    Held relay;
    relay.came();
    REQUIRE(relay.take(device(1), Bytes(10, 1)));
    REQUIRE(relay.drain().size() == 1);
    int stranger = 0;
    relay.gateway_went(&stranger);
    CHECK(relay.drain().empty());
    relay.gateway_went(&relay.gateway);
    REQUIRE(relay.take(device(2), Bytes(10, 2)));
    CHECK(relay.drain().empty());
    relay.came();
    const auto again = relay.drain();
    REQUIRE(again.size() == 2);
    CHECK(again[0].packets.at(0).device == device(1));
    CHECK(again[1].packets.at(0).device == device(2));
}

TEST_CASE("what finds no room is dropped and counted, and memory stays within its bound", "[relay]") {
    Held relay(8 * kMiB);
    std::uint64_t refused = 0;
    for (std::size_t i = 0; i < 20'000; ++i)
        refused += relay.take(device(static_cast<std::uint8_t>(i)), Bytes(1'000, 1)) ? 0 : 1;
    CHECK(refused > 0);
    CHECK(relay.dropped() == refused);
    CHECK(relay.held_bytes() <= 8 * kMiB + UpBatch::kHeader);
    relay.came();
    CHECK(relay.drain().at(0).dropped == refused);
}

TEST_CASE("a device that floods while the gateway is away leaves room for the others", "[relay]") {
    Held relay(64 * kMiB);
    for (int i = 0; i < 100'000; ++i) relay.take(device(1), Bytes(1'000, 1));
    CHECK(relay.held_bytes() < 8 * kMiB);
    CHECK(relay.take(device(2), Bytes(1'000, 2)));
}
