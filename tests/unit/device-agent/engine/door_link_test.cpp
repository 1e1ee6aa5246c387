// The connection of a handset that is locked.
#include "engine/door_link.hpp"

#include "desk.hpp"
#include "engine/packets.hpp"

namespace nimes::test {
namespace {

// A session that keeps what is published.
class Wire final : public agent::transport::PacketSession {
  public:
    Wire(agent::transport::MqttSink sink, std::vector<v1::Up>& ups) : sink_(std::move(sink)), ups_(ups) {}
    Result<void> start() override { return {}; }
    void stop() override {}
    Result<void> publish(Bytes up, agent::transport::Expect) override {
        v1::Up parsed;
        REQUIRE(parsed.ParseFromArray(up.data(), static_cast<int>(up.size())));
        ups_.push_back(parsed);
        return {};
    }
    void spread_next_connect(Millis) override {}
    [[nodiscard]] bool connected() const override { return true; }
    void say(agent::transport::MqttEvent event) { sink_(std::move(event)); }

  private:
    agent::transport::MqttSink sink_;
    std::vector<v1::Up>& ups_;
};

// Each connection that is made is `wire`.
DoorLink::SessionMaker wired(Wire*& wire, std::vector<v1::Up>& ups) {
    return [&](agent::transport::MqttSink sink) {
        auto out = std::make_unique<Wire>(std::move(sink), ups);
        wire = out.get();
        return std::unique_ptr<agent::transport::PacketSession>(std::move(out));
    };
}

agent::transport::Packet delivery(std::uint64_t sequence) {
    v1::Down down;
    auto& envelope = *down.mutable_deliver()->add_envelopes();
    envelope.set_lane(v1::LANE_CHAT);
    envelope.set_sequence(sequence);
    envelope.set_message("as it came");
    Bytes bytes(down.ByteSizeLong());
    (void)down.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    return {bytes};
}

}  // namespace

TEST_CASE("behind the door what arrives is stored as it came and acknowledged, and opened later") {
    Desk desk;
    REQUIRE(desk.contact());
    desk.core->box->lock();
    std::vector<v1::Up> ups;
    Wire* wire = nullptr;
    const auto make = wired(wire, ups);
    {
        DoorLink door(*desk.core, make);
        wire->say(agent::transport::Connected{});
        wire->say(delivery(1));
        wire->say(delivery(2));
        wire->say(delivery(2));
        CHECK_FALSE(door.handle());
        REQUIRE(ups.size() == 4);
        CHECK(ups[0].has_hello());
        CHECK(ups[3].ack().held(0).sequence() == 2);
        wire->say(agent::transport::Disconnected{agent::transport::DisconnectCause::refused, 0x87, 0, true});
        CHECK(door.handle());
    }
    CHECK(desk.core->box->arrivals(9)->size() == 2);
    // The next process behind the door goes on where this one ended.
    ups.clear();
    DoorLink again(*desk.core, make);
    wire->say(agent::transport::Connected{});
    (void)again.handle();
    CHECK(ups[0].hello().held(0).sequence() == 2);

    REQUIRE(desk.unlock());
    std::vector<std::uint64_t> seen;
    REQUIRE(take_arrivals(*desk.core, [&](const v1::Deliver& deliver) {
        for (const auto& envelope : deliver.envelopes()) seen.push_back(envelope.sequence());
        return Result<void>();
    }));
    CHECK(seen == std::vector<std::uint64_t>{1, 2});
    CHECK(desk.core->box->arrivals(9)->empty());
}

TEST_CASE("what came to a locked handset behind something that expired there was thrown away, unread, when it opened") {
    Desk desk;
    REQUIRE(desk.contact());
    const auto packet = delivery(2);
    v1::Down down;
    REQUIRE(down.ParseFromArray(packet.bytes.data(), static_cast<int>(packet.bytes.size())));
    const auto envelope = down.deliver().envelopes(0).SerializeAsString();  // number 1 was here, too, for a week
    const agent::container::Arrival second{2, 2, to_bytes(as_bytes(envelope))};
    REQUIRE(desk.core->box->put_arrivals({&second, 1}, 99'999));
    std::vector<agent::engine::Turn> turns;
    REQUIRE(take_arrivals(*desk.core, [&](const v1::Deliver& deliver) {
        turns.push_back(agent::engine::turn_of(deliver.envelopes(0), 0));
        return Result<void>();
    }));
    CHECK(turns == std::vector{agent::engine::Turn::next});
}

TEST_CASE("behind the door, too, nothing is taken behind a packet that got lost, and what comes bundled is taken") {
    Desk desk;
    REQUIRE(desk.contact());
    desk.core->box->lock();
    std::vector<v1::Up> ups;
    Wire* wire = nullptr;
    DoorLink door(*desk.core, wired(wire, ups));
    wire->say(delivery(1));
    wire->say(delivery(3));
    wire->say(delivery(4));
    CHECK_FALSE(door.handle());
    REQUIRE(ups.size() == 3);
    CHECK(ups[1].ack().held(0).sequence() == 1);
    CHECK(ups[1].ack().gap());
    CHECK_FALSE(ups[2].ack().gap());  // said once
    CHECK(desk.core->box->arrivals(9)->size() == 1);

    v1::Down both;
    for (const std::uint64_t sequence : {2, 3}) {
        const auto one = delivery(sequence);
        REQUIRE(
            both.mutable_bundle()->add_packets()->ParseFromArray(one.bytes.data(), static_cast<int>(one.bytes.size())));
    }
    Bytes bytes(both.ByteSizeLong());
    (void)both.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    wire->say(agent::transport::Packet{bytes});
    CHECK_FALSE(door.handle());
    CHECK(ups.back().ack().held(0).sequence() == 3);
    v1::Down asked;
    (void)asked.mutable_greet();
    bytes.resize(asked.ByteSizeLong());
    (void)asked.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    wire->say(agent::transport::Packet{bytes});
    CHECK_FALSE(door.handle());
    CHECK(ups.back().hello().held(0).sequence() == 3);
}

}  // namespace nimes::test
