#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway::mailbox;

TEST_CASE("what came while a device was away goes out in order after its hello, and goes away when acknowledged") {
    Post post;
    for (std::uint8_t i = 1; i <= 3; ++i) REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
    CHECK(post.received(20).empty());
    post.hello(20);
    const auto got = post.received(20);
    REQUIRE(got.size() == 3);
    for (std::uint8_t i = 1; i <= 3; ++i) {
        CHECK(got[i - 1u].sequence() == i);
        CHECK(got[i - 1u].message_id() == raw(made<MessageId>(i)));
        CHECK(got[i - 1u].sender_device() == raw(made<DeviceId>(10)));
    }
    post.ack(20, 2);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
    post.ack(20, 3);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
}

TEST_CASE("the welcome tells time, head, newest marks and the batch of seal keys") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.people.head = {12, {made<UserId>(3)}, false};
    post.hello(20);
    const auto& welcome = post.outlet.sent[made<DeviceId>(20)].at(0).welcome();
    CHECK(welcome.server_ms() == kStart);
    CHECK(welcome.head().revision() == 12);
    CHECK(welcome.head().changed_users_size() == 1);
    CHECK(welcome.seal_batch_no() == 7);
    REQUIRE(welcome.newest_size() == 3);
    CHECK(welcome.newest(1).sequence() == 1);
}

TEST_CASE("a connected device gets a message at once; a hello with a mark does not bring back what is held") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    CHECK(post.received(20).size() == 1);
    post.hello(20, {{Lane::chat, 1}});
    CHECK(post.received(20).size() == 1);
    REQUIRE(post.submit(10, Post::pair_message(2, 1, 2)).accepted);
    CHECK(post.received(20).size() == 2);
}

TEST_CASE("numbers go on where they were after a restart, though all was acknowledged") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.ack(20, 1);
    post.restart();
    REQUIRE(post.submit(10, Post::pair_message(2, 1, 2)).accepted);
    post.hello(20, {{Lane::chat, 1}});
    CHECK(post.received(20).back().sequence() == 2);
}

TEST_CASE("an acknowledgement of what was never given destroys nothing that comes later") {
    Post post;
    post.hello(20);
    post.ack(20, 1'000'000);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
    CHECK(post.received(20).size() == 1);
    post.ack(20, 1);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
}

TEST_CASE("the window bounds what is under way; acknowledgements open it") {
    Post post;
    post.options.window_entries = 2;
    for (std::uint8_t i = 1; i <= 5; ++i) REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
    post.hello(20);
    CHECK(post.received(20).size() == 2);
    post.ack(20, 1);
    CHECK(post.received(20).size() == 3);
    post.ack(20, 3);
    CHECK(post.received(20).size() == 5);
}

TEST_CASE("what is not acknowledged is sent again; a device that stays silent counts as gone") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.now += post.options.resend_after - 1;
    post.delivery->tick(post.now);
    CHECK(post.received(20).size() == 1);
    post.now += 1;
    post.delivery->tick(post.now);
    CHECK(post.received(20).size() == 2);
    for (int i = 0; i < 10; ++i) {
        post.now += post.options.resend_after;
        post.delivery->tick(post.now);
    }
    CHECK(post.received(20).size() == 1 + static_cast<std::size_t>(post.options.resends));
    CHECK(post.delivery->sessions() == 0);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
    CHECK(post.delivery->take_left() == std::vector{made<DeviceId>(20)});  // it is rung for
    CHECK(post.delivery->take_left().empty());
}

TEST_CASE("what was sent into a connection that was dead already rang nobody until the next message") {
    Post post;
    post.delivery->connected(made<DeviceId>(20), 5, post.now);
    post.hello(20);
    post.delivery->gone(made<DeviceId>(20), 5);
    CHECK(post.delivery->take_left().empty());  // nothing was under way
    post.delivery->connected(made<DeviceId>(20), 6, post.now);
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.delivery->gone(made<DeviceId>(20), 6);
    CHECK(post.delivery->take_left() == std::vector{made<DeviceId>(20)});
}

TEST_CASE("a late \"gone\" of an older connection does not end the newer session") {
    Post post;
    post.delivery->connected(made<DeviceId>(20), 5, post.now);
    post.hello(20);
    post.delivery->connected(made<DeviceId>(20), 6, post.now);
    post.hello(20);
    post.delivery->gone(made<DeviceId>(20), 5);
    CHECK(post.delivery->sessions() == 1);
    post.delivery->gone(made<DeviceId>(20), 6);
    CHECK(post.delivery->sessions() == 0);
}

TEST_CASE("a handset that goes out of reach is known to be gone at once, whatever it said in its connection") {
    Post post;
    post.delivery->connected(made<DeviceId>(20), 5, post.now);
    post.hello(20);
    post.hello(20);  // again, in the same connection
    post.delivery->gone(made<DeviceId>(20), 5);
    CHECK(post.delivery->sessions() == 0);  // who gets something now is woken
}

TEST_CASE("a handset that counted as gone and is heard again is asked for its hello, and gets what waited") {
    Post post;
    post.hello(20);
    post.delivery->end(made<DeviceId>(20));
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.delivery->heard(made<DeviceId>(20), post.now);
    post.delivery->tick(post.now);
    CHECK(post.outlet.sent[made<DeviceId>(20)].back().has_greet());
    CHECK(post.received(20).empty());
    post.hello(20);
    CHECK(post.received(20).size() == 1);
}

TEST_CASE("a packet got lost on the way to a handset: it says so, and gets everything from there on, in order") {
    Post post;
    post.hello(20);
    for (std::uint8_t i = 1; i <= 3; ++i) REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
    // 1 arrived, 2 did not; what says that 2 is missing came with 3.
    CHECK_FALSE(post.received(20)[2].has_after());
    post.delivery->acknowledge(made<DeviceId>(20), Ack{{{Lane::chat, 1}}, true}, post.now);
    const auto got = post.received(20);
    REQUIRE(got.size() == 5);
    CHECK(got[3].sequence() == 2);
    CHECK(got[4].sequence() == 3);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 2);
}

TEST_CASE("what expired before a handset fetched it leaves no hole that it would wait for") {
    Post post;
    for (std::uint8_t i = 1; i <= 3; ++i) {
        REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
        post.now += kDay;
    }
    Expiry expiry(post.store, *post.committer, post.options);
    post.now += post.options.retention - 2 * kDay - kHour;  // the first one's time is over
    REQUIRE(expiry.step(post.now));
    post.hello(20);
    const auto got = post.received(20);
    REQUIRE(got.size() == 2);
    CHECK(got[0].sequence() == 2);
    REQUIRE(got[0].has_after());
    CHECK(got[0].after() == 0);  // what the handset holds
    CHECK_FALSE(got[1].has_after());
}

TEST_CASE("a handset that was away until everything had expired is in sync with its hello") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.now += post.options.retention + 1;
    Expiry expiry(post.store, *post.committer, post.options);
    REQUIRE(expiry.step(post.now));
    post.hello(20);
    for (const auto& mark : post.outlet.sent[made<DeviceId>(20)].at(0).welcome().newest()) CHECK(mark.sequence() == 0);
}

TEST_CASE("three hundred texts wait for a handset on the worst network: the first packets are small, later ones grow") {
    Post post;
    for (int i = 1; i <= 300; ++i) {
        auto text = Post::pair_message(1, 1, 2, static_cast<std::uint32_t>(i));
        auto id = made<MessageId>(1);
        id.bytes[0] = static_cast<std::uint8_t>(i);
        id.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        text.set_message_id(raw(id));
        REQUIRE(post.submit(10, text).accepted);
    }
    post.hello(20);
    const auto& sent = post.outlet.sent[made<DeviceId>(20)];
    std::size_t under_way = 0;
    for (const auto& down : sent) {
        CHECK(down.ByteSizeLong() <= Pace::kSmallestPacket + 16);
        under_way += down.ByteSizeLong();
    }
    CHECK(under_way <= Pace::kFirst + 2 * Pace::kSmallestPacket);
    std::size_t rounds = 0, largest = 0;
    for (std::uint64_t mark = 0; mark < 300; ++rounds) {
        mark = post.received(20).back().sequence();
        post.now += 300;
        post.ack(20, mark);
    }
    for (const auto& down : sent) largest = std::max(largest, down.ByteSizeLong());
    CHECK(largest > 3 * Pace::kSmallestPacket);
    CHECK(rounds < 10);
    CHECK(post.received(20).size() == 300);
}

TEST_CASE("large messages are split over packets that the broker takes") {
    Post post;
    for (std::uint8_t i = 1; i <= 3; ++i) {
        auto message = Post::pair_message(i, 1, 2, i);
        message.set_message(std::string(as_text(wire_message(made<ChainId>(1), i, kMaxContent))));
        REQUIRE(post.submit(10, message).accepted);
    }
    post.hello(20);  // the fake outlet refuses packets that are too large
    post.ack(20, 1);
    post.ack(20, 2);
    CHECK(post.received(20).size() == 3);
}

TEST_CASE("a revoked device's hello is not answered") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.people.shut_out.insert(made<DeviceId>(20));
    post.hello(20);
    CHECK(post.outlet.sent[made<DeviceId>(20)].empty());
}

TEST_CASE("everything is gone one retention later: entries, bodies, memory of repeats") {
    Post post;
    Expiry expiry(post.store, *post.committer, post.options);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.now += post.options.retention - kMinute;
    REQUIRE(*expiry.step(post.now) == 0);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
    post.now += kMinute + 1;
    REQUIRE(*expiry.step(post.now) == 2);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
    post.now += 2 * kHour;
    REQUIRE(expiry.step(post.now));
    CHECK(post.store.partitions(gateway::store::Family::bodies, {}, 10)->empty());
    CHECK(post.store.scan(Mailboxes::partition(made<DeviceId>(10)), "d", "e", 10)->empty());
}

TEST_CASE("after a restart a device that stayed connected is asked for its hello, once it was silent for a while") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.restart();
    post.delivery->connected(made<DeviceId>(20), 7, post.now);
    post.delivery->tick(post.now);
    CHECK(post.received(20).empty());
    post.now += 3 * kSecond;
    post.delivery->tick(post.now);
    CHECK(post.outlet.sent[made<DeviceId>(20)].back().has_greet());
    CHECK(post.received(20).empty());  // what does it hold? It said nothing yet
    post.hello(20, {{Lane::chat, 0}});
    CHECK(post.received(20).size() == 1);
    post.delivery->gone(made<DeviceId>(20), 7);
    CHECK(post.delivery->sessions() == 0);
}

TEST_CASE("who does not answer is asked a few times, and then left alone until it says something") {
    Post post;
    post.delivery->connected(made<DeviceId>(20), 7, post.now);
    for (int i = 0; i < 100; ++i) {
        post.now += kMinute;
        post.delivery->tick(post.now);
    }
    CHECK(post.outlet.sent[made<DeviceId>(20)].size() == 5);
    post.delivery->heard(made<DeviceId>(20), post.now);
    post.delivery->tick(post.now);
    CHECK(post.outlet.sent[made<DeviceId>(20)].size() == 6);
}

TEST_CASE("a device that is gone again before it said hello is not served") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.delivery->connected(made<DeviceId>(20), 7, post.now);
    post.delivery->gone(made<DeviceId>(20), 7);
    post.now += kMinute;
    post.delivery->tick(post.now);
    CHECK(post.received(20).empty());
}

TEST_CASE("who falls behind gets the rest from the store, in order, with what comes meanwhile") {
    Post post;
    post.options.window_entries = 2;
    post.hello(20);
    for (std::uint8_t i = 1; i <= 5; ++i) REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
    CHECK(post.received(20).size() == 2);
    post.ack(20, 2);
    REQUIRE(post.submit(10, Post::pair_message(6, 1, 2, 6)).accepted);
    post.ack(20, 4);
    post.ack(20, 6);
    REQUIRE(post.submit(10, Post::pair_message(7, 1, 2, 7)).accepted);
    const auto got = post.received(20);
    REQUIRE(got.size() == 7);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i].sequence() == i + 1);
}

TEST_CASE("when the broker is linked anew, what was under way goes out again, and only that") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    REQUIRE(post.submit(10, Post::pair_message(2, 1, 2)).accepted);
    post.ack(20, 1);
    post.delivery->linked(post.now);
    const auto got = post.received(20);
    REQUIRE(got.size() == 3);
    CHECK(got[2].sequence() == 2);
    post.ack(20, 2);
    post.delivery->linked(post.now);
    CHECK(post.received(20).size() == 3);
}

TEST_CASE("what one commit has for a device is one delivery, a grant between messages keeps its place") {
    Post post;
    post.hello(20);
    const auto conversation = pair_id(made<UserId>(1), made<UserId>(2));
    std::vector<Waiting> waiting;
    for (std::uint8_t i = 1; i <= 5; ++i) {
        Submit s;
        s.id = made<MessageId>(i);
        s.conversation = conversation;
        s.pair = {made<UserId>(1), made<UserId>(2)};
        s.kind = i == 3 ? Payload::grant : Payload::message;
        s.payload = i == 3 ? wire_grant(made<DeviceId>(10), conversation, made<ChainId>(1), {20, 21})
                           : wire_message(made<ChainId>(1), i);
        waiting.push_back({made<DeviceId>(10), std::move(s)});
    }
    const auto outcomes = post.committer->commit(waiting, post.now);
    for (const auto& outcome : outcomes) post.delivery->offer(outcome, post.now);
    post.delivery->flush();
    const auto got = post.received(20);
    REQUIRE(got.size() == 5);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i].sequence() == i + 1);
    CHECK(got[2].has_grant());
    std::size_t deliveries = 0;
    for (const auto& down : post.outlet.sent[made<DeviceId>(20)]) deliveries += down.has_deliver() ? 1 : 0;
    CHECK(deliveries <= 3);
}
