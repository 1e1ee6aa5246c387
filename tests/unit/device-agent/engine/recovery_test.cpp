// What cannot be opened is asked for and comes after all, whatever else the server says meanwhile: whole engines
// between the gateway's own rooms, each test named after what went wrong.
#include <catch2/catch.hpp>

#include "engine/own_keys.hpp"
#include "model/handset.hpp"
#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using model::Handset;
using model::must;

namespace {

struct Three {
    agent::container::TempDir folder;
    model::ModelClock clock;
    model::Chance chance{7};
    model::Server server{clock, chance};
    Handset anna, bernd, carla;

    Three()
        : anna(server, clock, chance, (server.person(0), folder.path() / "anna"), 0),
          bernd(server, clock, chance, (server.person(1), folder.path() / "bernd"), 1),
          carla(server, clock, chance, (server.person(2), folder.path() / "carla"), 2) {
        for (auto* h : {&anna, &bernd, &carla}) h->enrol(Admission::first);
    }
    std::deque<v1::Envelope>& waiting(Handset& at) { return server.bag(at.device()).waiting; }
    void deliver() {
        for (auto* h : {&anna, &bernd, &carla})
            while (auto next = server.hand_out(h->device())) h->take(*next);
    }
    void pass(Millis span) {
        clock.advance(span);
        for (int round = 0; round < 2; ++round) {
            for (auto* h : {&anna, &bernd, &carla}) h->tick();
            deliver();
        }
    }
    // The grant vanishes on its way, so that the message waits.
    v1::Envelope say_without_its_grant(const ConversationId& to) {
        REQUIRE(anna.say(to, agent::conversation::Text{"where are you?"}));
        anna.settle();
        auto& at = waiting(bernd);
        std::erase_if(at, [](const auto& e) { return e.has_grant(); });
        REQUIRE(at.size() == 1);
        return at.front();
    }
    bool bernd_reads_it() {
        for (const auto& shown : bernd.shown_after(0)) {
            const auto* text = std::get_if<agent::conversation::Text>(&shown.meaning);
            if (text != nullptr && text->text == "where are you?" &&
                shown.message.state == agent::engine::MessageState::opened)
                return true;
        }
        return false;
    }
};

}  // namespace

TEST_CASE("a copy of a message under another conversation's name took the message's turn to be asked for") {
    Three world;
    const auto group = world.anna.create_group({world.bernd.user(), world.carla.user()});
    REQUIRE(group);
    world.anna.settle();
    world.deliver();
    const auto pair = world.anna.pair_with(world.bernd.user());
    auto copy = world.say_without_its_grant(*group);
    copy.set_conversation(std::string(as_text(pair.view())));
    copy.clear_users();
    for (const auto& user : {world.anna.user(), world.bernd.user()}) copy.add_users(std::string(as_text(user.view())));
    world.waiting(world.bernd).push_back(copy);
    world.deliver();
    CHECK_FALSE(world.bernd_reads_it());
    world.pass(61 * kSecond);
    CHECK(world.bernd_reads_it());
}

TEST_CASE("a copy of a message under another sender's name took the message's turn to be asked for") {
    Three world;
    const auto group = world.anna.create_group({world.bernd.user(), world.carla.user()});
    REQUIRE(group);
    world.anna.settle();
    world.deliver();
    auto copy = world.say_without_its_grant(*group);
    copy.set_sender_user(std::string(as_text(world.carla.user().view())));
    copy.set_sender_device(std::string(as_text(world.carla.device().view())));
    world.waiting(world.bernd).push_back(copy);
    world.deliver();
    CHECK_FALSE(world.bernd_reads_it());
    world.pass(61 * kSecond);
    CHECK(world.bernd_reads_it());
}

TEST_CASE("many false names for one message used up what its sender answers in a day") {
    Three world;
    const auto group = world.anna.create_group({world.bernd.user(), world.carla.user()});
    REQUIRE(group);
    const auto other = world.anna.create_group({world.bernd.user()});
    REQUIRE(other);
    world.anna.settle();
    world.deliver();
    const auto pair = world.anna.pair_with(world.bernd.user());
    const auto honest = world.say_without_its_grant(*group);
    auto& waiting = world.waiting(world.bernd);
    waiting.clear();
    for (const auto& place : {*other, pair}) {
        auto copy = honest;
        copy.set_conversation(std::string(as_text(place.view())));
        copy.clear_users();
        if (place == pair)
            for (const auto& user : {world.anna.user(), world.bernd.user()})
                copy.add_users(std::string(as_text(user.view())));
        waiting.push_back(copy);
    }
    // Three times for each false name, while the message itself is kept back.
    for (const Millis span : {Millis{0}, 61 * kSecond, 2 * kHour, 9 * kHour}) world.pass(span);
    CHECK_FALSE(world.bernd_reads_it());
    waiting.push_back(honest);
    world.deliver();
    world.pass(61 * kSecond);
    CHECK(world.bernd_reads_it());
}

TEST_CASE("a roster that the server would not tell was not asked for again, and what needed it waited for good") {
    Three world;
    const auto group = world.anna.create_group({world.bernd.user(), world.carla.user()});
    REQUIRE(group);
    world.anna.settle();
    std::erase_if(world.waiting(world.bernd), [](const auto& e) { return e.has_event(); });
    world.bernd.network().events_withheld = 1'000;
    REQUIRE(world.anna.say(*group, agent::conversation::Text{"where are you?"}));
    world.anna.settle();
    world.deliver();
    CHECK_FALSE(world.bernd_reads_it());
    world.bernd.network().events_withheld = 0;  // nothing comes any more but what is asked for
    for (int i = 0; i < 3; ++i) world.pass(61 * kSecond);
    CHECK(world.bernd_reads_it());
}

TEST_CASE("keys that a device had erased were sealed to at each request, and it read nothing for a day") {
    Three world;
    v1::LookupRequest question;
    question.add_users(std::string(as_text(world.bernd.user().view())));
    const auto shown = [&] { return must(world.server.directory().lookup(question), "look-up"); };
    const auto newest_batch = [](const v1::LookupAnswer& answer) {
        const auto& keys = answer.entries(0).devices(0).seal_keys();
        return must(SealKey::parse(as_bytes(keys.Get(keys.size() - 1))), "seal key").batch_no;
    };
    const auto before = shown();
    for (int hour = 0; hour < 40 && newest_batch(shown()) == newest_batch(before); ++hour) {
        world.clock.advance(kHour);
        must(world.server.directory().tick(), "head");
        world.pass(0);
    }
    REQUIRE(newest_batch(shown()) > newest_batch(before));
    const auto erase = [&](auto& tx) -> Result<void> {
        for (const auto& key : before.entries(0).devices(0).seal_keys())
            if (auto gone = agent::engine::erase_seal_key(tx, must(SealKey::parse(as_bytes(key)), "key").key_id); !gone)
                return gone;
        return {};
    };
    must(world.bernd.core().transact(erase), "erase");
    world.anna.network().lie = [&](v1::LookupAnswer& answer, const v1::LookupAnswer&) {
        for (auto& entry : *answer.mutable_entries())
            for (auto& device : *entry.mutable_devices())
                if (device.device() == before.entries(0).devices(0).device()) {
                    *device.mutable_seal_keys() = before.entries(0).devices(0).seal_keys();
                    device.clear_one_time_key();
                }
    };
    const auto pair = world.anna.pair_with(world.bernd.user());  // who saw newer ones would refuse these
    const auto said = world.anna.say(pair, agent::conversation::Text{"where are you?"});
    INFO((said ? "said" : said.error().text()));
    REQUIRE(said);
    REQUIRE(said->stale.empty());
    world.anna.settle();
    for (int i = 0; i < 3; ++i) world.pass(61 * kSecond);  // asked for once, and sealed to the old keys again
    CHECK_FALSE(world.bernd_reads_it());
    world.anna.network().lie = nullptr;
    world.pass(2 * kHour);  // asked for once more
    for (int i = 0; i < 2; ++i) world.pass(61 * kSecond);
    CHECK(world.bernd_reads_it());
}
