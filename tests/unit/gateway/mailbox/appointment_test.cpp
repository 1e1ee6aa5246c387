// A group whose administrators are gone, as the mailroom sees it: the organisation's event, in its turn.
#include "nimes/appointment.hpp"
#include "mailbox/event_log.hpp"
#include "mailbox/mailroom.hpp"
#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::mailbox;

namespace {

const Roster kTwo{{made<UserId>(1), MemberRole::administrator}, {made<UserId>(2), MemberRole::poster}};

ConvEvent appointment(const ConvEvent& create, std::uint8_t user, Millis ts = kStart) {
    ByteArray<32> seed{};
    seed.fill(3);
    return make_appointment(signing_key_from_seed(seed), org_id("test"), {create.conversation, 1, create.state(), kTwo},
                            made<UserId>(user), DirectoryHead{}, ts)
        .value();
}

// A device's mailbox, as the store has it.
std::size_t waits(Post& post, std::uint8_t device) {
    const auto before = post.received(device).size();
    post.hello(device);
    post.delivery->flush();
    return post.received(device).size() - before;
}

}  // namespace

TEST_CASE("the organisation's event is stored once, in its turn, and put before every member") {
    Post post;
    SystemClock clock;
    operations::Log log(clock, operations::Level::error);
    post.now = clock.now();
    const auto create = creation_of(kTwo);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    const auto event = appointment(create, 2, post.now);
    {
        Mailroom room({post.store, post.people, post.media, post.outlet, clock, post.metrics, log}, {});
        room.start();
        CHECK(room.appoint(event));
        CHECK(room.appoint(event));  // repeated: the same one
        CHECK(room.appoint(appointment(create, 2, post.now + 1)).error().code == Errc::epoch_conflict);
        room.stop();
    }
    CHECK(post.outlet.sent[event.actor_device].empty());  // it is no device, and nothing is said to it
    post.restart();
    EventLog events(post.store);
    CHECK(events.page(create.conversation, made<UserId>(2), 1)->events ==
          std::vector<Bytes>{create.encode(), event.encode()});
    CHECK(waits(post, 10) == 1);  // the creation is its own
    CHECK(waits(post, 20) == 2);
    CHECK(waits(post, 21) == 2);
    const auto got = post.received(10).back();
    CHECK(got.event() == as_text(event.encode()));
    CHECK(got.sender_user() == raw(UserId{}));
    // Who was appointed changes the group now.
    const Group group{2, event.state(), false, {kTwo[0], {made<UserId>(2), MemberRole::administrator}}};
    auto removal = group_event(EventKind::change, &group, 2, 20,
                               {{made<UserId>(1), MemberRole::administrator, RosterOp::remove}}, {group.roster[1]});
    removal.conversation = create.conversation;
    CHECK(post.submit(20, submission(5, removal)).accepted);
}

TEST_CASE("no device speaks for the organisation, and none but a member is appointed") {
    Post post;
    const auto create = creation_of(kTwo);
    REQUIRE(post.submit(10, submission(1, create)).accepted);
    auto event = appointment(create, 2);
    CHECK(post.submit(20, submission(2, event)).accepted.error().code == Errc::malformed);
    event.actor_device = made<DeviceId>(20);
    CHECK(post.submit(20, submission(3, event)).accepted.error().code == Errc::malformed);
    const Group group{1, create.state(), false, kTwo};
    CHECK(apply_event(&group, appointment(create, 2), {}));
    auto stranger = appointment(create, 2);
    stranger.items[0].user = made<UserId>(4);
    CHECK(apply_event(&group, stranger, {}).error().code == Errc::not_a_member);
    auto again = appointment(create, 2);
    again.items[0].user = made<UserId>(1);
    CHECK(apply_event(&group, again, {}).error().code == Errc::not_a_member);
    auto astray = appointment(create, 2);
    astray.roster_root = roster_root(kTwo);
    CHECK(apply_event(&group, astray, {}).error().code == Errc::malformed);
    CHECK(apply_event(nullptr, appointment(create, 2), {}).error().code == Errc::conversation_unknown);
}
