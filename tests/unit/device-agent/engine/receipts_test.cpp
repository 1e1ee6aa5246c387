// What a handset does by itself: receipts, one message for all that came in five seconds, and none where more than
// fifty devices listen; a look at what others were shown.
#include <catch2/catch.hpp>

#include "conversation/events.hpp"
#include "engine/duties.hpp"
#include "handset.hpp"
#include "lookup_only.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::container::Table;
using agent::container::Transaction;
using agent::conversation::Receipt;
using agent::conversation::Text;
using agent::engine::Lock;

std::vector<std::string> names(std::size_t n) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back("p" + std::to_string(i));
    return out;
}

// Anna says things, Bernd owes receipts.
struct Owing {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town;
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    Handset bernd{town, 1, dir.path() / "bernd", clock, random};
    Post post{town, dir.path() / "post"};
    agent::engine::LookupOnly network;
    std::unique_ptr<agent::engine::Sync> sync;
    std::unique_ptr<agent::engine::Duties> duties;
    std::uint8_t said = 0;

    explicit Owing(std::size_t people = 2) : town(names(people)) {
        REQUIRE(crypto_init());
        network.says = [](const auto&) -> Result<v1::LookupAnswer> { return fail(Errc::offline); };
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
        auto& core = bernd.core();
        sync = std::make_unique<agent::engine::Sync>(core, network);
        duties = std::make_unique<agent::engine::Duties>(core, *sync, bernd.compose());
    }
    void pass(Millis time) { clock.wall += time, clock.up += time; }
    void mail_from_anna() {
        for (const auto& item : anna.waiting()) {
            REQUIRE(post.submit(0, item.up, clock.now()));
            REQUIRE(anna.accepted(item.id));
        }
        for (const auto& envelope : post.mailbox(1)) REQUIRE(bernd.take(envelope));
        post.acknowledge(1, post.everything(1).size());
    }
    MessageId next_id() {
        MessageId id;
        id.bytes.fill(++said);
        return id;
    }
    void say() {
        REQUIRE(anna.say(1, next_id(), Text{"Zugriff um vier"}));
        mail_from_anna();
    }
    // What Bernd said by himself, as it stands in his own container: how many messages each receipt is about.
    std::vector<std::size_t> receipts() {
        {
            Lock lock(bernd.core().mutex);
            REQUIRE(duties->run(lock, true));
        }
        std::vector<std::size_t> out;
        auto shown = agent::engine::messages_after(bernd.core(), 0, 1'000);
        REQUIRE(shown);
        for (const auto& m : *shown)
            if (const auto* r = std::get_if<Receipt>(&m.meaning); r != nullptr && m.own) out.push_back(r->items.size());
        return out;
    }
    // A group of everybody; Anna made it, both know it.
    ConversationId group() {
        std::vector<UserId> others;
        for (std::size_t i = 1; i < town.people.size(); ++i) others.push_back(town.people[i].user);
        const auto event = agent::conversation::create_group(*anna.compose().maker(), others, random);
        for (auto* handset : {&anna, &bernd}) {
            auto& core = handset->core();
            std::optional<agent::conversation::ConversationState> state;
            const auto& cert = town.people[0].cert;
            REQUIRE(agent::conversation::apply(
                        state, event, {true, &cert, nullptr, agent::conversation::ActorFacts::Head::verified}) ==
                    agent::conversation::Applied::applied);
            REQUIRE(core.transact([&](Transaction& tx) { return core.put_conversation(tx, *state); }));
        }
        return event.conversation;
    }
    void say_in(const ConversationId& group) {
        REQUIRE(anna.compose().message(group, next_id(), Text{"Sperrung ab 18 Uhr"}));
        mail_from_anna();
    }
};

}  // namespace

TEST_CASE("what comes within five seconds is told of in one receipt") {
    Owing o;
    o.say();
    o.say();
    o.say();
    CHECK(o.receipts() == std::vector<std::size_t>{3});
    o.pass(kSecond);
    o.say();
    o.say();
    CHECK(o.receipts() == std::vector<std::size_t>{3});
    o.pass(agent::engine::Duties::kReceiptPause);
    CHECK(o.receipts() == std::vector<std::size_t>{3, 2});
    o.pass(kMinute);
    CHECK(o.receipts() == std::vector<std::size_t>{3, 2});  // each once
}

TEST_CASE("fifty devices get receipts, and of fifty-one nobody says any") {
    Owing fifty(50);
    fifty.say_in(fifty.group());
    CHECK(fifty.receipts().size() == 1);
    Owing more(51);
    more.say_in(more.group());
    CHECK(more.receipts().empty());
    more.say();  // to him alone
    CHECK(more.receipts().size() == 1);
}

TEST_CASE("the own entry is looked up under the head that an accepted grant names") {
    Owing o;
    std::vector<std::uint64_t> asked;
    o.network.says = [&](const v1::LookupRequest& request) -> Result<v1::LookupAnswer> {
        if (request.under_revision() != 0) asked.push_back(request.under_revision());
        return fail(Errc::offline);
    };
    (void)o.receipts();
    CHECK(asked.empty());
    o.say();
    o.pass(kMinute);
    (void)o.receipts();
    CHECK(asked == std::vector{o.anna.core().directory->head().revision});
}

}  // namespace nimes::test
