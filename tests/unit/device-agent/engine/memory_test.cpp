// Where keys are: in the locked arena while the container is open, nowhere when it is locked. Not only in the arena is
// looked, but in all memory of the process.
#include <catch2/catch.hpp>

#include "engine/chains.hpp"
#include "engine/enrol.hpp"
#include "handset.hpp"
#include "memory_scan.hpp"
#include "nimes/label.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::container::Transaction;
using agent::conversation::Text;
using Names = std::vector<std::string>;

struct Two {
    MemoryScan scan;
    agent::container::TempDir dir;
    TownClock clock;
    Town town{{"anna", "bernd"}};
    ToldRandom anna_random{scan, "Anna"}, bernd_random{scan, "Bernd"};
    Handset anna{town, 0, dir.path() / "anna", clock, anna_random};
    Handset bernd{town, 1, dir.path() / "bernd", clock, bernd_random};
    Post post{town, dir.path() / "post"};
    std::uint8_t said = 0;

    Two() {
        REQUIRE(crypto_init());
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
    }
    // Composed, granted, sent, taken, opened, shown.
    void say(Handset& from, std::size_t who, Handset& to) {
        MessageId id;
        id.bytes.fill(++said);
        REQUIRE(from.say(1 - who, id, Text{"Zugriff um vier"}));
        for (const auto& item : from.waiting()) {
            REQUIRE(post.submit(who, item.up, clock.now()));
            REQUIRE(from.accepted(item.id));
        }
        const auto box = post.mailbox(1 - who);
        for (const auto& envelope : box) REQUIRE(to.take(envelope));
        post.acknowledge(1 - who, post.everything(1 - who).size());
        REQUIRE(to.core().newest_message > 0);
    }
    agent::sealing::SendingChain chain(Handset& of, std::size_t other) {
        auto tx = of.core().box->begin();
        REQUIRE(tx);
        auto out = agent::engine::find_sending(*tx, of.with(other));
        REQUIRE(out);
        REQUIRE(*out);
        return std::move(**out);
    }
};

}  // namespace

TEST_CASE("the scan finds a secret that lies about, and none that was wiped", "[memory]") {
    MemoryScan scan;
    ToldRandom random(scan, "a");
    auto on_heap = std::make_unique<Key>();
    {
        Key on_stack;
        random.fill(on_stack.edit());
        random.fill(on_heap->edit());
        const auto found = scan.count();
        CHECK(found[0] >= 1);
        CHECK(found[1] >= 1);
        std::string text(as_text(on_heap->view()));  // what must not happen
        CHECK(scan.count()[1] > found[1]);
    }
    on_heap.reset();
    CHECK(scan.found() == Names{});
}

TEST_CASE("no key of a conversation is left in the process once the containers are locked", "[memory]") {
    Two two;
    two.say(two.anna, 0, two.bernd);
    two.say(two.bernd, 1, two.anna);
    two.say(two.anna, 0, two.bernd);
    const auto drawn = two.scan.wanted();
    CHECK(drawn > 10);  // container keys, chain keys, grant keys of both

    {  // What is derived: the chain key and the message key of now, for as long as somebody holds them.
        const auto chain = two.chain(two.anna, 1);
        Secret<64> message_key;
        kdf(message_key.edit(), 1, label::kChainContext, chain.chain_key);
        two.scan.want("chain key", chain.chain_key.view());
        two.scan.want("chain signing key", chain.signing.secret.view().first(32));
        two.scan.want("message key", message_key.view().first(32));
        const auto found = two.scan.count();
        for (auto i = drawn; i < drawn + 3; ++i) CHECK(found[i] >= 1);
    }
    const auto open = two.scan.count();
    std::size_t hot = 0;
    for (const auto n : open) hot += n > 0 ? 1 : 0;
    CHECK(hot >= 6);  // day keys, state key, index key of both: in the arena
    for (auto i = drawn; i < drawn + 3; ++i) CHECK(open[i] == 0);

    two.anna.core().box->lock();
    two.bernd.core().box->lock();
    CHECK(two.scan.found() == Names{});
    two.anna.core().box->shut();
    two.bernd.core().box->shut();
    CHECK(two.scan.found() == Names{});
}

TEST_CASE("the identity key is in the locked arena alone, until the container is shut", "[memory]") {
    MemoryScan scan;
    agent::container::Home home;
    const Town town({"anna"});
    home.clock.wall = kNow;
    ToldRandom random(scan, "Anna");
    agent::engine::Core core(home.clock, random);
    core.box = home.create();
    const auto file = town.provisioning();
    REQUIRE(
        agent::engine::Enrol::prepare(core, agent::engine::Provisioning::parse(file).value(), "anna@polizei.example"));
    REQUIRE(scan.wanted() == 1);
    CHECK(scan.count()[0] == 1);
    for (int i = 0; i < 3; ++i) (void)sign(core.identity()->secret, label::kToken, {file});
    CHECK(scan.count()[0] == 1);
    core.box->lock();
    CHECK(scan.count()[0] == 1);  // connecting needs it
    core.box->shut();
    CHECK(scan.found() == Names{});
}

}  // namespace nimes::test
