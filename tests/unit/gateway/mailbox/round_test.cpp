#include "mailbox/round.hpp"

#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway::mailbox;

namespace {

Bytes accepted(std::uint8_t id) {
    Outcome out;
    out.id = made<MessageId>(id);
    return encode_outcome(out);
}

}  // namespace

TEST_CASE("what one round says to a device is one packet, in the order said") {
    FakeOutlet outlet;
    Round round(outlet);
    for (std::uint8_t i = 1; i <= 20; ++i) round.send(made<DeviceId>(10), accepted(i));
    round.send(made<DeviceId>(20), accepted(99));
    CHECK(outlet.sent.empty());
    round.flush();
    REQUIRE(outlet.sent[made<DeviceId>(10)].size() == 1);
    const auto& bundle = outlet.sent[made<DeviceId>(10)][0].bundle();
    REQUIRE(bundle.packets_size() == 20);
    for (std::uint8_t i = 1; i <= 20; ++i)
        CHECK(bundle.packets(i - 1).accepted().message_id() == raw(made<MessageId>(i)));
    REQUIRE(outlet.sent[made<DeviceId>(20)].size() == 1);
    CHECK(outlet.sent[made<DeviceId>(20)][0].has_accepted());  // alone: no bundle
    round.flush();
    CHECK(outlet.sent[made<DeviceId>(10)].size() == 1);
}

TEST_CASE("a round that has more for a device than a packet holds makes several") {
    FakeOutlet outlet;  // refuses packets that are too large
    Round round(outlet);
    const Bytes payload(1'000, 7);
    for (std::uint64_t i = 1; i <= 200; ++i) {
        DeliverPacket packet;
        packet.add(
            {Lane::chat, i, i - 1},
            encode_shared({0, made<DeviceId>(1), made<MessageId>(1)}, {Payload::message, 1, {}, {}, {}, payload}),
            topic::kMaxPacket);
        round.send(made<DeviceId>(10), packet.take());
    }
    round.flush();
    std::uint64_t next = 1;
    const auto read = [&](const v1::Down& down) {
        for (const auto& e : down.deliver().envelopes()) CHECK(e.sequence() == next++);
    };
    for (const auto& down : outlet.sent[made<DeviceId>(10)]) {
        read(down);  // the last one is alone in its packet
        for (const auto& one : down.bundle().packets()) read(one);
    }
    CHECK(next == 201);
    CHECK(outlet.sent[made<DeviceId>(10)].size() == 3);
}

TEST_CASE("what fills a segment goes by itself, in its place: the first of many is not kept until the last has come") {
    FakeOutlet outlet;
    Round round(outlet);
    const auto device = made<DeviceId>(10);
    const auto delivery = [](std::uint64_t sequence) {
        DeliverPacket packet;
        packet.add({Lane::chat, sequence, sequence - 1},
                   encode_shared({0, made<DeviceId>(1), made<MessageId>(1)},
                                 {Payload::message, 1, {}, {}, {}, Bytes(Round::kAlone, 7)}),
                   topic::kMaxPacket);
        return packet.take();
    };
    round.send(device, accepted(1));
    round.send(device, delivery(1));
    round.send(device, delivery(2));
    round.send(device, accepted(2));
    round.flush();
    const auto& sent = outlet.sent[device];
    REQUIRE(sent.size() == 4);
    CHECK(sent[0].has_accepted());
    CHECK(sent[1].deliver().envelopes(0).sequence() == 1);
    CHECK(sent[2].deliver().envelopes(0).sequence() == 2);
    CHECK(sent[3].has_accepted());
}

TEST_CASE("an envelope made of a shared part and a number is what protobuf would have made of it whole") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);  // from memory
    post.hello(21);                                                  // from the store
    const auto at20 = post.received(20);
    const auto at21 = post.received(21);
    REQUIRE(at20.size() == 1);
    REQUIRE(at21.size() == 1);
    CHECK(at20[0].SerializeAsString() == at21[0].SerializeAsString());
    CHECK(at20[0].lane() == v1::LANE_CHAT);
    CHECK(at20[0].sequence() == 1);
    CHECK(at20[0].received_ms() == kStart);
    CHECK(at20[0].users_size() == 2);
}
