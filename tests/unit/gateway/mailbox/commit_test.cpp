#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway::mailbox;

TEST_CASE("a message is stored once and lies in the mailbox of every other device of the conversation") {
    Post post;
    const auto outcome = post.submit(10, Post::pair_message(1, 1, 2));
    REQUIRE(outcome.accepted);
    CHECK(outcome.delivered == std::vector{made<DeviceId>(20), made<DeviceId>(21)});
    CHECK(post.store.partitions(gateway::store::Family::bodies, {}, 10)->size() == 1);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(10)) == 0);
}

TEST_CASE("a repeat is accepted and changes nothing, also after a restart") {
    Post post;
    const auto first = post.submit(10, Post::pair_message(1, 1, 2));
    post.now += 5 * kSecond;
    const auto again = post.submit(10, Post::pair_message(1, 1, 2));
    CHECK((again.accepted && again.repeated));
    CHECK(again.received == first.received);
    post.restart();
    const auto later = post.submit(10, Post::pair_message(1, 1, 2));
    CHECK((later.accepted && later.repeated));
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 1);
}

TEST_CASE("a repeat of what its recipients have long acknowledged is not delivered again") {
    Post post;
    post.hello(20);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.ack(20, 1);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).repeated);
    CHECK(post.received(20).size() == 1);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
}

TEST_CASE("lost on the way to a gateway that starts: what was sent behind it does not overtake it") {
    Post post;
    auto second = Post::pair_message(2, 1, 2), third = Post::pair_message(3, 1, 2);
    second.set_after(raw(made<MessageId>(1)));
    third.set_after(raw(made<MessageId>(2)));
    CHECK(post.submit(10, second).accepted.error().code == Errc::held);
    CHECK(post.submit(10, third).accepted.error().code == Errc::held);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    REQUIRE(post.submit(10, second).accepted);
    REQUIRE(post.submit(10, second).repeated);
    post.restart();
    REQUIRE(post.submit(10, third).accepted);
    auto others = Post::pair_message(4, 2, 1);
    others.set_after(raw(made<MessageId>(1)));  // of another device
    CHECK(post.submit(20, others).accepted.error().code == Errc::held);
}

TEST_CASE("a crash left half of a message: what was sent behind it waits until its sender has completed it") {
    Post post;
    post.store.crash_after = 1;  // the memory of repeats; no entry, no body
    CHECK_FALSE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.store.crash_after.reset();
    post.restart();
    auto second = Post::pair_message(2, 1, 2);
    second.set_after(raw(made<MessageId>(1)));
    CHECK(post.submit(10, second).accepted.error().code == Errc::held);
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    REQUIRE(post.submit(10, second).accepted);
    post.hello(20);
    REQUIRE(post.received(20).size() == 2);
    CHECK(post.received(20)[0].message_id() == raw(made<MessageId>(1)));
}

TEST_CASE("two devices may use the same message id") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    REQUIRE(post.submit(20, Post::pair_message(1, 2, 1)).accepted);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(10)) == 1);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(21)) == 2);
}

TEST_CASE("a stranger posts into no conversation") {
    Post post;
    CHECK(post.submit(30, Post::pair_message(1, 1, 2)).accepted.error().code == Errc::not_a_member);
    auto elsewhere = Post::pair_message(2, 1, 2);
    elsewhere.set_conversation(raw(made<ConversationId>(77)));
    CHECK(post.submit(10, elsewhere).accepted.error().code == Errc::malformed);
    auto nowhere = Post::pair_message(3, 1, 2);
    nowhere.clear_users();
    CHECK(post.submit(10, nowhere).accepted.error().code == Errc::conversation_unknown);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
}

TEST_CASE("a revoked device sends nothing and is sent nothing") {
    Post post;
    post.people.shut_out.insert(made<DeviceId>(20));
    CHECK(post.submit(20, Post::pair_message(1, 2, 1)).accepted.error().code == Errc::device_revoked);
    const auto outcome = post.submit(10, Post::pair_message(2, 1, 2));
    CHECK(outcome.delivered == std::vector{made<DeviceId>(21)});
}

TEST_CASE("a grant reaches each device with its own wrap, and the sender learns whom it missed") {
    Post post;
    const auto chain = made<ChainId>(1);
    auto grant = Post::pair_message(1, 1, 2);
    const auto conversation = ConversationId::from(as_bytes(grant.conversation()));
    grant.set_grant(std::string(as_text(wire_grant(made<DeviceId>(10), conversation, chain, {20, 99}))));
    REQUIRE(post.submit(10, grant).accepted);
    const auto sent = post.submit(10, Post::pair_message(2, 1, 2));
    REQUIRE(sent.missing.size() == 1);
    CHECK(sent.missing[0].device == made<DeviceId>(21));

    post.hello(20);
    post.hello(21);
    const auto at20 = post.received(20);
    REQUIRE(at20.size() == 2);
    REQUIRE(at20[0].grant().size() == kGrantDelivered);
    const auto wrapped = GrantUpload::parse(as_bytes(at20[0].grant()));
    REQUIRE(wrapped);
    CHECK(wrapped->wraps[0].dev_no == 20);
    CHECK(post.received(21).size() == 1);

    post.restart();
    CHECK(post.submit(10, Post::pair_message(3, 1, 2, 1)).missing.size() == 1);
}

TEST_CASE("a grant for another device or conversation than its sender's is refused") {
    Post post;
    auto grant = Post::pair_message(1, 1, 2);
    const auto conversation = ConversationId::from(as_bytes(grant.conversation()));
    grant.set_grant(std::string(as_text(wire_grant(made<DeviceId>(30), conversation, made<ChainId>(1), {20}))));
    CHECK(post.submit(10, grant).accepted.error().code == Errc::malformed);
}

TEST_CASE("a full mailbox does not stop the others; when all are full the sender is told") {
    Post post;
    post.options.max_entries = 1;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.hello(21);
    post.ack(21, 1);
    const auto second = post.submit(10, Post::pair_message(2, 1, 2));
    REQUIRE(second.accepted);
    CHECK(second.delivered == std::vector{made<DeviceId>(21)});
    CHECK(post.submit(10, Post::pair_message(3, 1, 2)).accepted.error().code == Errc::mailbox_full);
}

TEST_CASE("a message that names media is accepted only when they are there, and they live as long as it") {
    Post post;
    auto message = Post::pair_message(1, 1, 2);
    message.add_media(raw(made<BlobId>(5)));
    CHECK(post.submit(10, message).accepted.error().code == Errc::not_found);
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
    post.media.finished.insert(made<BlobId>(5));
    REQUIRE(post.submit(10, message).accepted);
    CHECK(post.media.linked[made<BlobId>(5)] == post.now + post.options.retention);
}

TEST_CASE("when the disk fails nothing is accepted, and the repeat is whole") {
    Post post;
    post.store.broken = true;
    CHECK(post.submit(10, Post::pair_message(1, 1, 2)).accepted.error().code == Errc::storage);
    post.store.broken = false;
    const auto again = post.submit(10, Post::pair_message(1, 1, 2));
    CHECK((again.accepted && !again.repeated));
    post.hello(20);
    const auto got = post.received(20);
    REQUIRE(got.size() == 1);
    CHECK(got[0].sequence() == 1);
}

TEST_CASE("a crash after any batch of a commit is mended by the sender's repeat: once, and whole") {
    for (std::size_t batches = 0; batches <= 4; ++batches) {
        Post post;
        post.store.crash_after = batches;
        CHECK_FALSE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
        post.store.crash_after.reset();
        post.restart();
        CHECK(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
        for (const auto device : {std::uint8_t{20}, std::uint8_t{21}}) {
            post.hello(device);
            CHECK(post.received(device).size() == 1);
        }
    }
}

TEST_CASE("a message that a crash left half stored keeps its place when the sender repeats it, days later") {
    for (std::size_t batches = 1; batches <= 3; ++batches) {
        Post post;
        post.store.crash_after = batches;
        CHECK_FALSE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
        post.store.crash_after.reset();
        post.restart();
        REQUIRE(post.submit(10, Post::pair_message(2, 1, 2)).accepted);
        post.now += 2 * kDay;
        const auto again = post.submit(10, Post::pair_message(1, 1, 2));
        CHECK((again.accepted && !again.repeated));
        CHECK(again.received == kStart);
        CHECK(post.submit(10, Post::pair_message(1, 1, 2)).repeated);
        for (const auto device : {std::uint8_t{20}, std::uint8_t{21}}) {
            CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(device)) == 2);
            post.hello(device);
            CHECK(post.received(device).size() == 2);
        }
    }
}

TEST_CASE("a repeat after the retention is a new message: nothing of the old one is left to repeat") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    post.now += post.options.retention;
    const auto again = post.submit(10, Post::pair_message(1, 1, 2));
    CHECK((again.accepted && !again.repeated));
    CHECK(again.received == post.now);
}

TEST_CASE("what was acknowledged is erased with the next commit, and is not counted before") {
    Post post;
    post.hello(20);
    post.hello(21);
    for (std::uint8_t i = 1; i <= 3; ++i) REQUIRE(post.submit(10, Post::pair_message(i, 1, 2, i)).accepted);
    post.ack(20, 3);
    post.ack(21, 3);
    const auto rows = [&](std::uint8_t device) {
        return post.store.scan(Mailboxes::partition(made<DeviceId>(device)), "e", "f", 100)->size();
    };
    CHECK(*post.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
    CHECK(rows(20) == 3);
    REQUIRE(post.submit(10, Post::pair_message(4, 1, 2, 4)).accepted);
    CHECK(rows(20) == 1);
    CHECK(rows(21) == 1);
}

TEST_CASE("a waiting entry has two hundred bytes at most, whatever the message has") {
    Post post;
    REQUIRE(post.submit(10, Post::pair_message(1, 1, 2)).accepted);
    std::size_t bytes = 0;
    const auto rows = post.store.scan(Mailboxes::partition(made<DeviceId>(20)), {}, {}, 100);
    for (const auto& row : *rows)
        bytes += Mailboxes::partition(made<DeviceId>(20)).name.size() + row.key.size() + row.value.size();
    CHECK(bytes < 200);
}
