#include "mailbox/event_log.hpp"
#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway::mailbox;

namespace {

const Roster kThree{{made<UserId>(1), MemberRole::administrator},
                    {made<UserId>(2), MemberRole::poster},
                    {made<UserId>(3), MemberRole::reader}};

v1::Submit message(std::uint8_t id, const ConversationId& conversation) {
    v1::Submit s;
    s.set_message_id(raw(made<MessageId>(id)));
    s.set_lane(v1::LANE_CHAT);
    s.set_conversation(raw(conversation));
    s.set_message(std::string(as_text(wire_message(made<ChainId>(1), 0))));
    return s;
}

}  // namespace

TEST_CASE("a group: events in order, its members alone, the removed included once more") {
    Post post;
    const auto create = creation_of(kThree);
    const auto made_group = post.submit(10, submission(1, create));
    REQUIRE(made_group.accepted);
    CHECK(made_group.delivered.size() == 3);
    CHECK(post.submit(20, message(2, create.conversation)).delivered.size() == 3);
    CHECK(post.submit(40, message(3, create.conversation)).accepted.error().code == Errc::not_a_member);
    CHECK(post.submit(30, message(4, create.conversation)).accepted.error().code == Errc::not_a_member);  // a reader

    const Group group{1, create.state(), false, kThree};
    const Roster two{kThree[0], kThree[2]};
    auto removal =
        group_event(EventKind::change, &group, 1, 10, {{made<UserId>(2), MemberRole::poster, RosterOp::remove}}, two);
    removal.conversation = create.conversation;
    const auto removed = post.submit(10, submission(5, removal));
    REQUIRE(removed.accepted);
    CHECK(removed.delivered.size() == 3);  // both devices of the removed, and the reader's
    CHECK(post.submit(20, message(6, create.conversation)).accepted.error().code == Errc::not_a_member);
    CHECK(post.submit(10, message(7, create.conversation)).delivered == std::vector{made<DeviceId>(30)});
}

TEST_CASE("a change that was refused was stored all the same: a stranger in the roster stopped everybody's messages") {
    Post post;
    const auto create = creation_of(kThree);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    const Group group{1, create.state(), false, kThree};
    auto more = kThree;
    more.push_back({made<UserId>(9), MemberRole::poster});
    auto add =
        group_event(EventKind::change, &group, 1, 10, {{made<UserId>(9), MemberRole::poster, RosterOp::add}}, more);
    add.conversation = create.conversation;
    CHECK(post.submit(10, submission(2, add)).accepted.error().code == Errc::recipient_unknown);
    CHECK(post.submit(20, message(3, create.conversation)).delivered.size() == 3);
    post.restart();
    CHECK(post.submit(20, message(4, create.conversation)).delivered.size() == 3);
    auto change = group_event(EventKind::change, &group, 1, 10,
                              {{made<UserId>(2), MemberRole::poster, RosterOp::remove}}, {kThree[0], kThree[2]});
    change.conversation = create.conversation;
    CHECK(post.submit(10, submission(5, change)).accepted);  // the epoch is free
}

TEST_CASE("a member whom a restored directory does not know stopped what was for the others") {
    Post post;
    const auto create = creation_of(kThree);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    post.people.users.erase(made<UserId>(3));
    CHECK(post.submit(20, message(2, create.conversation)).delivered.size() == 2);
}

TEST_CASE("only one of two events of an epoch is taken") {
    Post post;
    const auto create = creation_of(kThree);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    const Group group{1, create.state(), false, kThree};
    auto promote = group_event(EventKind::change, &group, 1, 10,
                               {{made<UserId>(2), MemberRole::administrator, RosterOp::set_role}},
                               {kThree[0], {made<UserId>(2), MemberRole::administrator}, kThree[2]});
    promote.conversation = create.conversation;
    auto other = promote;
    other.ts += 1;
    REQUIRE(post.submit(10, submission(2, promote)).accepted);
    CHECK(post.submit(10, submission(3, other)).accepted.error().code == Errc::epoch_conflict);
    CHECK(post.submit(10, submission(4, create)).accepted.error().code == Errc::epoch_conflict);
}

TEST_CASE("an event that its actor was not allowed to make, or whose roster does not follow, is refused") {
    Post post;
    const auto create = creation_of(kThree);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    const Group group{1, create.state(), false, kThree};
    const auto refused = [&](std::uint8_t user, std::uint8_t device, std::vector<RosterItem> items,
                             const Roster& after) {
        auto event = group_event(EventKind::change, &group, user, device, std::move(items), after);
        event.conversation = create.conversation;
        return post.submit(device, submission(9, event)).accepted.error().code;
    };
    const Roster with_four{kThree[0], kThree[1], kThree[2], {made<UserId>(4), MemberRole::poster}};
    const std::vector<RosterItem> add_four{{made<UserId>(4), MemberRole::poster, RosterOp::add}};
    CHECK(refused(2, 20, add_four, with_four) == Errc::not_a_member);
    CHECK(refused(1, 10, add_four, kThree) == Errc::malformed);
    CHECK(refused(1, 20, add_four, with_four) == Errc::malformed);  // another's name as actor
    const Roster none_left{kThree[1], kThree[2]};
    CHECK(refused(1, 10, {{made<UserId>(1), MemberRole::administrator, RosterOp::remove}}, none_left) ==
          Errc::malformed);
}

TEST_CASE("an event whose delivery a crash prevented goes out with its repeat") {
    Post post;
    const auto create = creation_of(kThree);
    post.store.crash_after = 1;  // the conversation is stored, nothing else
    CHECK_FALSE(post.submit(10, submission(1, create)).accepted);
    post.store.crash_after.reset();
    post.restart();
    const auto again = post.submit(10, submission(1, create));
    REQUIRE(again.accepted);
    CHECK(again.delivered.size() == 3);
}

TEST_CASE("members read a group's events from any epoch on; strangers and the removed learn nothing") {
    Post post;
    const auto create = creation_of(kThree);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    const Group group{1, create.state(), false, kThree};
    const Roster two{kThree[0], kThree[2]};
    auto removal =
        group_event(EventKind::change, &group, 1, 10, {{made<UserId>(2), MemberRole::poster, RosterOp::remove}}, two);
    removal.conversation = create.conversation;
    REQUIRE(post.submit(10, submission(2, removal)).accepted);

    EventLog log(post.store);
    const auto all = log.page(create.conversation, made<UserId>(3), 1).value();
    CHECK(all.newest == 2);
    CHECK(all.events == std::vector<Bytes>{create.encode(), removal.encode()});
    CHECK(log.page(create.conversation, made<UserId>(1), 2)->events == std::vector<Bytes>{removal.encode()});
    CHECK(log.page(create.conversation, made<UserId>(1), 3)->events.empty());
    for (const std::uint8_t outside : std::initializer_list<std::uint8_t>{2, 4})
        CHECK(log.page(create.conversation, made<UserId>(outside), 1).error().code == Errc::conversation_unknown);
    CHECK(log.page(made<ConversationId>(9), made<UserId>(1), 1).error().code == Errc::conversation_unknown);
}
