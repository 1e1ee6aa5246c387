// Events of a group as a handset takes them: under a head of their own time, and the organisation's in sight of all.
#include "conversation/events.hpp"
#include "handset.hpp"
#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using namespace nimes::agent;

namespace {

using test::kNow;

// Bernd's handset; Anna makes groups, and her words reach him as envelopes.
struct Desk {
    test::Town town{{"anna", "bernd"}};
    test::TownClock clock;
    SystemRandom random;
    container::TempDir folder;
    test::Handset bernd{town, 1, folder.path() / "bernd", clock, random};
    std::uint64_t sequence = 0;

    Desk() {
        REQUIRE(bernd.make());
        REQUIRE(bernd.open());
        REQUIRE(bernd.learn());
    }
    [[nodiscard]] const test::Person& anna() const { return town.people[0]; }
    engine::Core& core() { return bernd.core(); }

    ConvEvent group_at(Millis ts) {
        const conversation::EventMaker maker{anna().user, anna().cert.device, anna().key.secret,
                                             core().directory->head(), ts};
        return conversation::create_group(maker, {bernd.person().user}, random);
    }
    void deliver(const ConvEvent& event) {
        v1::Envelope envelope;
        envelope.set_lane(v1::LANE_CHAT);
        envelope.set_sequence(++sequence);
        envelope.set_conversation(test::raw(event.conversation.view()));
        envelope.set_sender_user(test::raw(event.actor_user.view()));
        envelope.set_sender_device(test::raw(event.actor_device.view()));
        envelope.set_event(test::raw(event.encode()));
        REQUIRE(bernd.take(envelope));
    }
    std::vector<std::string> alarms() {
        std::vector<std::string> out;
        const auto all = engine::alarms_after(core(), 0).value();
        for (const auto& alarm : all) out.push_back(alarm.text);
        return out;
    }
    // Anna's device is revoked by an administrator, in a new head.
    DirectoryEntry revoke_anna() {
        auto record = test::revoke_by_admin(town.directory.org, anna().user, anna().cert.device, 2);
        const auto entry =
            parse_entry(anna().user, test::records({anna().cert}, {record}), town.directory.org.keys).value();
        town.directory.put(entry);
        town.directory.now = clock.now();
        town.directory.publish();
        return entry;
    }
};

}  // namespace

TEST_CASE("an event names a head of its own day, or it is not taken") {
    Desk desk;
    constexpr Millis kLatest = kDay + 10 * kMinute;
    const auto late = desk.group_at(kNow + kLatest + 1);
    desk.deliver(late);
    CHECK_FALSE(desk.core().conversations.contains(late.conversation));
    CHECK(desk.bernd.rows(container::Table::held).empty());
    const auto in_time = desk.group_at(kNow + kLatest);
    desk.deliver(in_time);
    CHECK(desk.core().conversations.contains(in_time.conversation));
}

TEST_CASE("an appointment waits for head and entries, is applied, and told once") {
    Desk desk;
    const auto create = desk.group_at(kNow);
    desk.deliver(create);
    REQUIRE(desk.core().conversations.contains(create.conversation));
    auto& state = desk.core().conversations.at(create.conversation);

    desk.clock.set(kHour);
    const auto& org = desk.town.directory.org;
    const auto entry = desk.revoke_anna();
    const auto& head = desk.town.directory.heads.back();
    const auto event =
        make_appointment(org.admin, org.keys.org, {state.id, state.epoch, state.now().state, state.now().roster},
                         desk.bernd.person().user, head, desk.clock.now())
            .value();
    desk.deliver(event);
    CHECK(desk.core().wanted_newest_head);
    CHECK(desk.bernd.rows(container::Table::held).size() == 1);

    auto& directory = *desk.core().directory;
    REQUIRE(directory.take_head(desk.town.directory.head_answer(directory.head().revision), desk.clock.now()));
    REQUIRE(desk.bernd.inbox().retry_held());
    CHECK(state.epoch == 1);  // Anna's entry is older than the head that the event names
    CHECK(desk.core().wanted_users.contains(desk.anna().user));
    CHECK(desk.alarms().empty());

    REQUIRE(directory.take_user(desk.town.directory.entry_answer(entry), desk.anna().user, desk.clock.now()));
    REQUIRE(desk.bernd.inbox().retry_held());
    CHECK(state.epoch == 2);
    CHECK(state.member(desk.bernd.person().user)->role == MemberRole::administrator);
    CHECK(desk.bernd.rows(container::Table::held).empty());
    REQUIRE(desk.alarms().size() == 1);
    CHECK(desk.alarms()[0].find("the organisation made you an administrator") == 0);
    desk.deliver(event);
    CHECK(desk.alarms().size() == 1);
}

TEST_CASE("an appointment while the administrator has a device changes nothing") {
    Desk desk;
    const auto create = desk.group_at(kNow);
    desk.deliver(create);
    auto& state = desk.core().conversations.at(create.conversation);
    const auto& org = desk.town.directory.org;
    const auto event =
        make_appointment(org.admin, org.keys.org, {state.id, state.epoch, state.now().state, state.now().roster},
                         desk.bernd.person().user, desk.core().directory->head(), desk.clock.now())
            .value();
    desk.deliver(event);
    CHECK(state.epoch == 1);
    CHECK(desk.bernd.rows(container::Table::held).empty());
    CHECK(desk.alarms().empty());
}
