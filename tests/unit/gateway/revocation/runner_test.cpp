// An order and its steps, as they go when nothing goes wrong, and when the world does.
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::revocation;

namespace {

constexpr Step kOfRevoke[] = {Step::tokens_refused,      Step::requests_cut,  Step::mailbox_destroyed,
                              Step::seal_keys_destroyed, Step::share_deleted, Step::wipe_ordered};

}  // namespace

TEST_CASE("a revocation is recorded when it was ordered, and complete when every part has confirmed") {
    World w;
    const auto order = w.runner->order(w.draft(Kind::revoke, {device(11)})).value();
    CHECK(order.id == 1);
    CHECK(w.hands.state[device(11)] == "revoked");
    CHECK(w.done(1, 11, Step::recorded));
    CHECK_FALSE(w.done(1, 11, Step::share_deleted));
    CHECK(w.runner->pending() == 1);
    w.runner->round();
    for (const auto step : kOfRevoke) CHECK(w.done(1, 11, step));
    CHECK_FALSE(w.done(1, 11, Step::broker_told));
    w.runner->told(w.hands.revision);
    CHECK(w.done(1, 11, Step::broker_told));
    CHECK(w.runner->find(1).value()->ended == 0);
    w.clock.time += 500;
    CHECK(w.runner->obeyed(w.hands.revision - 1).empty());
    CHECK(w.runner->obeyed(w.hands.revision) == std::vector<double>{0.5});
    CHECK(w.runner->obeyed(w.hands.revision).empty());
    w.runner->round();
    CHECK(w.runner->find(1).value()->ended != 0);
    CHECK(w.runner->pending() == 0);
    w.settle();
    for (const auto step : kOfRevoke) CHECK(w.calls(step, 11) == 1);
    CHECK(w.acts() == std::vector<std::string>{"revoke"});
    w.start();
    w.settle();
    for (const auto step : kOfRevoke) CHECK(w.calls(step, 11) == 1);
    const auto kept = w.runner->find(1).value().value();
    CHECK(kept.reason == RevokeReason::stolen);
    CHECK(kept.who == "uid 998");
    CHECK(kept.why == "found in a ditch");
    CHECK(kept.complete());
}

TEST_CASE("asked again it answers the order that was given, and does nothing") {
    World w;
    REQUIRE(w.runner->order(w.draft(Kind::revoke, {device(11)})));
    w.settle();
    const auto effects = w.hands.order.size();
    CHECK(w.runner->order(w.draft(Kind::revoke, {device(11)}))->id == 1);
    w.settle();
    CHECK(w.hands.order.size() == effects);
    CHECK(w.acts().size() == 1);
    // In a list, the rest is a new order.
    CHECK(w.runner->order(w.draft(Kind::revoke, {device(11), device(12)}))->targets.size() == 1);
}

TEST_CASE("a suspension withholds the share, destroys nothing, and is undone by an order of its own") {
    World w;
    REQUIRE(w.runner->order(w.draft(Kind::suspend, {device(11)})));
    w.settle();
    CHECK(w.calls(Step::share_withheld, 11) == 1);
    for (const auto step : {Step::mailbox_destroyed, Step::seal_keys_destroyed, Step::share_deleted, Step::wipe_ordered,
                            Step::chains_listed})
        CHECK(w.calls(step, 11) == 0);
    CHECK(w.runner->find(1).value()->ended != 0);
    REQUIRE(w.runner->order(w.draft(Kind::reinstate, {device(11)})));
    w.settle();
    CHECK(w.hands.state[device(11)] == "active");
    CHECK(w.runner->find(2).value()->ended != 0);
    CHECK(w.acts() == std::vector<std::string>{"suspend", "reinstate"});
}

TEST_CASE("a person is closed before their devices are counted, and all of them are the order's") {
    World w;
    Draft draft = w.draft(Kind::revoke, {});
    draft.people = {user(1)};
    REQUIRE(w.runner->order(draft));
    CHECK(w.hands.order[0] == "recorded 1");
    CHECK(w.hands.closed == std::set{user(1)});
    w.settle();
    for (const auto n : {std::uint8_t{11}, std::uint8_t{12}}) {
        CHECK(w.hands.state[device(n)] == "revoked");
        CHECK(w.calls(Step::share_deleted, n) == 1);
    }
    CHECK(w.hands.state[device(13)] == "active");
    CHECK(w.runner->find(1).value()->ended != 0);
    CHECK(w.runner->newest_of(device(12)).value()->id == 1);
    CHECK(w.acts() == std::vector<std::string>{"revoke"});
}

TEST_CASE("people and single devices in one order: each is found again, also after a start in the middle") {
    World w;
    auto draft = w.draft(Kind::revoke, {device(14)});
    draft.people = {user(1)};
    w.hands.mailbox_waits = true;
    REQUIRE(w.runner->order(draft));
    w.runner->round();
    w.start();
    w.hands.mailbox_waits = false;
    w.settle();
    CHECK(w.runner->find(1).value()->ended != 0);
    CHECK(w.runner->find(1).value()->targets.size() == 4);
    for (const auto n : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{14}}) {
        CHECK(w.hands.state[device(n)] == "revoked");
        CHECK(w.calls(Step::share_deleted, n) == 1);
        CHECK(w.done(1, n, Step::mailbox_destroyed));
    }
    CHECK(w.hands.state[device(13)] == "active");
}

TEST_CASE("a step that fails holds up no other, is tried again, and counts once it is confirmed") {
    for (std::size_t i = 0; i < kSteps; ++i) {
        const auto step = static_cast<Step>(i);
        if (step == Step::broker_told || step == Step::broker_obeyed || step == Step::share_withheld) continue;
        INFO(name(step));
        World w;
        w.hands.failures[std::string(name(step))] = 3;
        const auto given = w.runner->order(w.draft(Kind::revoke, {device(11), device(13)}));
        CHECK(given.has_value() == (step != Step::recorded));
        if (step != Step::recorded) {
            w.runner->round();
            CHECK_FALSE(w.done(1, 11, step));
            for (const auto other : kOfRevoke)
                if (other != step) CHECK(w.done(1, 11, other));
        }
        w.settle();
        CHECK(w.runner->find(1).value()->ended != 0);
        for (const auto n : {std::uint8_t{11}, std::uint8_t{13}})
            if (step != Step::chains_listed) CHECK(w.calls(step, n) == 1);
        CHECK(w.acts().size() == 1);
    }
}

TEST_CASE("a device whose steps fail holds up none of those that go through them with it") {
    World w;
    w.hands.stuck = {device(12)};
    REQUIRE(w.runner->order(w.draft(Kind::revoke, {device(11), device(12), device(13)})));
    w.runner->round();
    for (const auto step : kOfRevoke) {
        INFO(name(step));
        // Mailboxes are one write, and wait for each other.
        CHECK(w.done(1, 11, step) == (step != Step::mailbox_destroyed));
        CHECK(w.done(1, 13, step) == (step != Step::mailbox_destroyed));
        CHECK_FALSE(w.done(1, 12, step));
    }
    w.hands.stuck.clear();
    w.settle();
    CHECK(w.runner->find(1).value()->ended != 0);
    for (const auto n : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{13}})
        for (const auto step : kOfRevoke) CHECK(w.calls(step, n) == 1);
}

TEST_CASE("the steps of many devices are marked together, each with its time") {
    World w;
    std::vector<DeviceId> many;
    for (std::uint8_t n = 20; n < 220; ++n) {
        many.push_back(device(n));
        w.hands.state[device(n)] = "active";
    }
    REQUIRE(w.runner->order(w.draft(Kind::revoke, many)));
    w.settle();
    CHECK(w.runner->find(1).value()->complete());
    CHECK(w.runner->find(1).value()->ended != 0);
    CHECK(w.hands.calls["wipe_ordered 219"] == 1);
    CHECK(w.store.commits < many.size() / 4);
}

TEST_CASE("a later order takes the place of one that is not done: nothing suspends again who was reinstated") {
    World w;
    w.hands.failures["recorded"] = 1;
    CHECK_FALSE(w.runner->order(w.draft(Kind::suspend, {device(11), device(12)})));
    REQUIRE(w.runner->order(w.draft(Kind::reinstate, {device(11)})));
    w.settle();
    CHECK(w.hands.state[device(11)] == "active");
    CHECK(w.hands.state[device(12)] == "suspended");
    w.start();
    w.settle();
    CHECK(w.hands.state[device(11)] == "active");
    const auto first = w.runner->find(1).value().value();
    CHECK(first.ended != 0);
    CHECK(first.targets[0].superseded != 0);
    CHECK(first.targets[1].superseded == 0);
}

TEST_CASE("an order that comes beside a revocation does not take its place: it is refused, and the revocation ends") {
    World w;
    REQUIRE(w.runner->order(w.draft(Kind::revoke, {device(11)})));
    for (const auto kind : {Kind::suspend, Kind::reinstate})
        CHECK(w.runner->order(w.draft(kind, {device(12), device(11)})).error().code == Errc::device_revoked);
    CHECK(w.runner->order(w.draft(Kind::revoke, {device(11)}))->id == 1);
    w.settle();
    const auto revocation = w.runner->find(1).value().value();
    CHECK(revocation.ended != 0);
    CHECK(revocation.targets[0].superseded == 0);
    CHECK(w.calls(Step::share_deleted, 11) == 1);
    CHECK(w.hands.state[device(11)] == "revoked");
    CHECK(w.acts() == std::vector<std::string>{"revoke"});
    CHECK_FALSE(w.runner->find(2).value());
}

TEST_CASE("what a device's owner ordered is picked up, named after them, and carried out the same way") {
    World w;
    w.hands.state[device(11)] = "revoked";
    w.runner->noticed(device(11));
    w.settle();
    CHECK(w.runner->find(1).value()->who == "device of its owner");
    CHECK(w.calls(Step::share_deleted, 11) == 1);
    CHECK(w.calls(Step::wipe_ordered, 11) == 0);
    CHECK(w.runner->find(1).value()->ended != 0);
    // One that a crash kept from being noticed is found at the start.
    w.hands.state[device(12)] = "revoked";
    w.start();
    w.settle();
    CHECK(w.calls(Step::share_deleted, 12) == 1);
    CHECK(w.calls(Step::share_deleted, 11) == 1);
    CHECK(w.acts() == std::vector<std::string>{"revoke", "revoke"});
}

TEST_CASE("chains that are owed are kept until each was renewed, also across a start") {
    World w;
    const Owed one{ConversationId::from(Bytes(16, 1)), device(13), ChainId::from(Bytes(16, 1))};
    const Owed two{ConversationId::from(Bytes(16, 2)), device(14), ChainId::from(Bytes(16, 2))};
    w.hands.chains = {one, two};
    REQUIRE(w.runner->order(w.draft(Kind::revoke, {device(11)})));
    w.settle();
    CHECK(w.runner->find(1).value()->ended != 0);
    CHECK(w.runner->find(1).value()->owed == std::vector{one, two});
    CHECK(w.runner->pending() == 0);
    w.hands.chains = {two};
    w.settle();
    CHECK(w.runner->find(1).value()->owed == std::vector{two});
    w.start();
    CHECK(w.runner->find(1).value()->owed == std::vector{two});
    CHECK(w.runner->find(1).value()->renewed == 0);
    w.hands.chains.clear();
    w.settle();
    CHECK(w.runner->find(1).value()->owed.empty());
    CHECK(w.runner->find(1).value()->renewed != 0);
}

TEST_CASE("a mailbox is asked for once, and a late answer still counts") {
    World w;
    w.hands.mailbox_waits = true;
    REQUIRE(w.runner->order(w.draft(Kind::revoke, {device(11)})));
    w.settle();
    REQUIRE(w.hands.mailboxes.size() == 1);
    CHECK_FALSE(w.done(1, 11, Step::mailbox_destroyed));
    w.hands.mailboxes[0]();
    CHECK(w.done(1, 11, Step::mailbox_destroyed));
    w.settle();
    CHECK(w.runner->find(1).value()->ended != 0);
}

TEST_CASE("orders are listed newest first, a page at a time") {
    World w;
    for (const auto n : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{13}})
        REQUIRE(w.runner->order(w.draft(Kind::suspend, {device(n)})));
    const auto ids = [&](std::uint64_t before, std::size_t limit) {
        std::vector<std::uint64_t> out;
        const auto page = w.runner->newest(before, limit).value();
        for (const auto& order : page) out.push_back(order.id);
        return out;
    };
    CHECK(ids(~std::uint64_t{0}, 2) == std::vector<std::uint64_t>{3, 2});
    CHECK(ids(2, 10) == std::vector<std::uint64_t>{1});
}

TEST_CASE(
    "who must not be shut out is not: no order is begun, the audit says who tried, and a single device still goes") {
    World w;
    w.keeper.kept = {"p1"};
    auto both = w.draft(Kind::revoke, {});
    both.people = {user(1), user(2)};
    const auto refused = w.runner->order(both);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::forbidden);
    CHECK(w.keeper.asked == std::set<std::string>{"p1", "p2"});
    CHECK(w.acts() == std::vector<std::string>{"revoke failed"});
    const auto entry = nlohmann::json::parse(w.audit->read(1, 1).value().at(0));
    CHECK(entry["whom"]["code"] == "ERR_FORBIDDEN");
    CHECK(entry["whom"]["people"] == nlohmann::json{"p1", "p2"});
    CHECK_FALSE(entry["whom"].contains("order"));
    CHECK(w.hands.closed.empty());
    CHECK(w.runner->newest(100, 10)->empty());
    both.kind = Kind::reinstate;
    both.reason.reset();
    CHECK(w.runner->order(both));  // to let in is no shutting out
    CHECK(w.runner->order(w.draft(Kind::revoke, {device(11)})));
    both.kind = Kind::suspend;
    both.people = {user(2)};
    CHECK(w.runner->order(both));
}

TEST_CASE("what the keeper answers is held until the order is recorded") {
    World w;
    bool free_while_recording = true;
    w.hands.shut_out = [&](const DeviceId&) {
        std::thread other([&] { free_while_recording = w.keeper.mutex.try_lock(); });
        other.join();
    };
    auto draft = w.draft(Kind::suspend, {});
    draft.people = {user(1)};
    REQUIRE(w.runner->order(draft));
    CHECK_FALSE(free_while_recording);
    CHECK(w.keeper.mutex.try_lock());
    w.keeper.mutex.unlock();
}
