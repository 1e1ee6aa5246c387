// The load client's own instruments: an oracle that cannot see a loss would be worth nothing.
#include <catch2/catch.hpp>

#include "../network/lane.hpp"
#include "ledger.hpp"
#include "mqtt.hpp"

using namespace nimes;
using namespace nimes::load;

TEST_CASE("the ledger sees what is lost, doubled and out of order") {
    Ledger ledger(2, 7);
    const std::vector<std::uint32_t> to{1};
    std::vector<MessageId> ids;
    for (int i = 0; i < 4; ++i) {
        ids.push_back(ledger.next(0, Kind::message, &to, 100));
        ledger.accepted(ids.back(), 200);
        ledger.accepted(ids.back(), 300);  // the answer to a repeat
    }
    CHECK(ledger.counts.accepted == 4);
    ledger.delivered(1, ids[0], 400);
    ledger.delivered(1, ids[2], 400);
    ledger.delivered(1, ids[1], 400);
    ledger.delivered(1, ids[1], 400);
    ledger.settle();
    CHECK(ledger.counts.delivered == 3);
    CHECK(ledger.counts.out_of_order == 1);
    CHECK(ledger.counts.duplicates == 1);
    CHECK(ledger.counts.lost == 1);
    CHECK_FALSE(ledger.counts.faultless());
    Ledger other(2, 8);
    other.delivered(1, ids[0], 400);  // of another run
    CHECK(other.counts.delivered == 0);
}

TEST_CASE("what somebody who was shut out has not got is not missed, what others have not got is") {
    Ledger ledger(3, 7);
    const std::vector<std::uint32_t> to{1, 2};
    std::vector<MessageId> ids;
    for (int i = 0; i < 3; ++i) {
        ids.push_back(ledger.next(0, Kind::message, &to, 100));
        ledger.accepted(ids.back(), 200);
    }
    for (const auto& id : ids) ledger.delivered(2, id, 300);
    ledger.delivered(1, ids[0], 300);
    ledger.leave(1);
    ledger.leave(1);
    ledger.delivered(1, ids[1], 400);
    CHECK(ledger.expected() == 3);
    CHECK(ledger.arrived() == 3);
    ledger.settle();
    CHECK(ledger.counts.lost == 0);
    ledger.accepted(ledger.next(0, Kind::message, &to, 500), 600);
    CHECK(ledger.expected() > ledger.arrived());
    ledger.settle();
    CHECK(ledger.counts.lost == 1);
}

TEST_CASE("a histogram's quantiles are within two per cent") {
    Histogram times;
    for (Micros t = 1; t <= 100'000; ++t) times.add(t);
    CHECK(times.quantile_ms(0.5) == Approx(50.0).epsilon(0.02));
    CHECK(times.quantile_ms(0.99) == Approx(99.0).epsilon(0.02));
}

TEST_CASE("MQTT packets are cut where they end, whatever comes in one read") {
    Bytes wire;
    const Bytes payload(300, 9);
    mqtt::put_publish(wire, "n/a/down", payload, 1, 77);
    mqtt::put_puback(wire, 78);
    for (std::size_t some = 0; some < 300; ++some) {
        const auto frame = mqtt::next_frame(ByteView(wire).first(some));
        REQUIRE(frame);
        CHECK_FALSE(*frame);
    }
    const auto first = mqtt::next_frame(wire);
    REQUIRE((first && *first));
    const auto publish = mqtt::parse_publish(**first);
    REQUIRE(publish);
    CHECK(publish->topic == "n/a/down");
    CHECK(publish->id == 77);
    CHECK(to_bytes(publish->payload) == payload);
    const auto second = mqtt::next_frame(ByteView(wire).subspan((*first)->size));
    REQUIRE((second && *second));
    CHECK(mqtt::id_of(**second).value() == 78);
    CHECK_FALSE(mqtt::next_frame(Bytes{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}));
}

TEST_CASE("a bad link keeps rate, delay and order, and loses what it should") {
    network::Lane lane(1);
    network::Quality quality;
    quality.bits_per_second = 80'000;  // 10 bytes a millisecond
    quality.delay = 50'000;
    quality.jitter = 10'000;
    quality.queue = 1'000'000;
    lane.set(quality);
    for (std::uint8_t i = 0; i < 20; ++i) lane.put(network::Packet(1'000, i), 0);
    CHECK(lane.counts.overflowed == 9);  // what would wait for more than a second
    network::Micros last = 0;
    for (std::uint8_t i = 0; i < 11; ++i) {
        const auto at = lane.next();
        REQUIRE(at);
        CHECK(*at >= last);
        CHECK(*at >= (i + 1) * 100'000 + 40'000);
        CHECK(*at <= (i + 1) * 100'000 + 60'000);
        CHECK_FALSE(lane.take(*at - 1));
        CHECK(lane.take(*at)->at(0) == i);
        last = *at;
    }
    lane.cut(true);
    lane.put(network::Packet(10), 2'000'000);
    CHECK(lane.counts.cut == 1);
    CHECK_FALSE(lane.next());
    quality.loss = 0.05;
    lane.cut(false);
    lane.set(quality);
    for (int i = 0; i < 10'000; ++i) lane.put(network::Packet(1), 3'000'000 + i * 1'000);
    CHECK(lane.counts.lost > 350);
    CHECK(lane.counts.lost < 650);
}
