// What a deletion takes away beside rows: files here, the medium at the gateway, and the numbers of a recall.
#include "engine/removals.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "engine/duties.hpp"
#include "handset.hpp"
#include "lookup_only.hpp"
#include "media/incoming.hpp"
#include "media/outgoing.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using agent::container::Table;
using agent::conversation::Delete;
using agent::engine::Lock;
namespace conversation = agent::conversation;
namespace media = agent::media;

struct Gateway final : agent::engine::LookupOnly {
    std::optional<Errc> refuses;
    std::vector<BlobId> removed;
    Result<void> remove(const BlobId& blob) override {
        removed.push_back(blob);
        return refuses ? Result<void>(fail(*refuses)) : Result<void>();
    }
};

// Anna sends a medium to Bernd.
struct Recalling {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna", "bernd"}};
    Handset anna{town, 0, dir.path() / "anna", clock, random};
    Handset bernd{town, 1, dir.path() / "bernd", clock, random};
    Post post{town, dir.path() / "post"};
    Gateway gateway;
    std::unique_ptr<agent::engine::Removals> removals;
    MessageId message;
    BlobId blob;
    std::uint8_t said = 0;

    Recalling() {
        REQUIRE(crypto_init());
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
        begin();
    }
    void begin() { removals = std::make_unique<agent::engine::Removals>(anna.core(), gateway); }
    MessageId next_id() {
        MessageId id;
        id.bytes.fill(++said);
        return id;
    }
    [[nodiscard]] std::filesystem::path folder() const { return anna.home() / "media"; }
    void send_medium() {
        const Bytes plain(100'000, 7);
        auto sealed = media::seal(folder(), anna.with(1), media::source_of(ByteView(plain)), plain.size(), random);
        REQUIRE(sealed);
        blob = sealed->blob;
        conversation::Media medium;
        medium.ref = {sealed->key.copy(), blob, sealed->plain_length, sealed->padded_length, sealed->digest};
        medium.media_type = "application/octet-stream";
        message = next_id();
        REQUIRE(anna.say(1, message, std::move(medium), blob));
    }
    void accept_all() {
        for (const auto& item : anna.waiting()) {
            REQUIRE(post.submit(0, item.up, clock.now()));
            REQUIRE(anna.accepted(item.id));
        }
        for (const auto& envelope : post.mailbox(1)) REQUIRE(bernd.take(envelope));
        post.acknowledge(1, post.everything(1).size());
    }
    void recall() { REQUIRE(anna.say(1, next_id(), Delete{{town.people[0].cert.device, message}, true})); }
    void run(bool online = true) {
        Lock lock(anna.core().mutex);
        REQUIRE(removals->run(lock, online));
    }
    [[nodiscard]] bool here() const { return media::is_fetched(folder(), blob); }
    std::size_t owed() { return anna.rows(Table::recalled).size(); }
};

}  // namespace

TEST_CASE("a deleted medium goes here at once, and at the gateway once that answers, whatever comes between") {
    const auto answer = GENERATE(std::optional<Errc>(), std::optional(Errc::upload_gone));  // or it was gone already
    Recalling r;
    r.send_medium();
    r.accept_all();
    r.recall();
    r.run(false);
    CHECK_FALSE(r.here());
    CHECK(r.anna.rows(Table::media).empty());
    CHECK((r.owed() == 1 && r.gateway.removed.empty()));
    r.gateway.refuses = Errc::offline;
    r.run();
    r.run();  // not yet again
    CHECK((r.owed() == 1 && r.gateway.removed.size() == 1));
    SECTION("it is asked again") { r.clock.up += agent::engine::Removals::kTryAgain; }
    SECTION("after a restart") {
        r.removals.reset();
        r.anna.close();
        REQUIRE(r.anna.open());
        r.begin();
    }
    r.gateway.refuses = answer;
    r.run();
    CHECK(r.owed() == 0);
    CHECK(r.gateway.removed == std::vector{r.blob, r.blob});
    r.run();
    CHECK(r.gateway.removed.size() == 2);
}

TEST_CASE("what the outbox still uploads stays, here and there, until it is through") {
    Recalling r;
    r.send_medium();
    r.recall();
    r.run();
    CHECK(r.here());
    CHECK(r.anna.rows(Table::media).empty());  // unreadable all the same
    CHECK(r.gateway.removed.empty());
    r.accept_all();
    r.run();
    CHECK_FALSE(r.here());
    CHECK(r.gateway.removed == std::vector{r.blob});
}

TEST_CASE("only the author's devices take a medium from the gateway") {
    Recalling r;
    r.send_medium();
    r.accept_all();
    r.recall();
    r.accept_all();
    CHECK(r.bernd.rows(Table::media).empty());
    CHECK(r.bernd.rows(Table::recalled).empty());
    auto shown = agent::engine::messages_after(r.bernd.core(), 0, 10);
    REQUIRE(shown);
    CHECK(shown->front().message.state == agent::engine::MessageState::deleted);
    CHECK_FALSE(shown->front().recall);  // who recalled it counts, nobody else
}

TEST_CASE("files that nothing names go with the next start, and what is younger stays") {
    Recalling r;
    r.send_medium();
    r.accept_all();
    const auto file = [&](const char* name) { return r.folder() / name; };
    const std::string digits(32, 'a');
    for (const auto& name : {digits + ".sealed", digits + ".part", std::string("notes.txt"), std::string("zz.part")}) {
        std::ofstream(file(name.c_str())) << "x";
        std::filesystem::last_write_time(file(name.c_str()),
                                         std::filesystem::file_time_type::clock::now() - std::chrono::seconds(5));
    }
    // A history that is not taken yet: no medium's row names its bundle.
    agent::engine::HistoryItem history;
    history.offer.blob = *id_from_hex<BlobId>(std::string(32, 'c'));
    const auto bundle = file((std::string(32, 'c') + ".sealed").c_str());
    std::ofstream(bundle) << "x";
    std::filesystem::last_write_time(bundle, std::filesystem::file_time_type::clock::now() - std::chrono::seconds(5));
    const auto put = [&] {
        auto& core = r.anna.core();
        REQUIRE(core.transact([&](auto& tx) { return agent::engine::History(core).put(tx, history); }));
    };
    put();
    r.begin();
    std::ofstream(file((std::string(32, 'b') + ".part").c_str())) << "x";
    r.run(false);
    r.run(false);
    CHECK(r.here());
    CHECK(std::filesystem::exists(bundle));
    CHECK_FALSE(std::filesystem::exists(file((digits + ".sealed").c_str())));
    CHECK_FALSE(std::filesystem::exists(file((digits + ".part").c_str())));
    CHECK(std::filesystem::exists(file("notes.txt")));
    CHECK(std::filesystem::exists(file("zz.part")));
    CHECK(std::filesystem::exists(file((std::string(32, 'b') + ".part").c_str())));
    history.stage = agent::engine::HistoryItem::Stage::done;
    put();
    r.begin();
    r.run(false);
    r.run(false);
    CHECK_FALSE(std::filesystem::exists(bundle));
}

TEST_CASE("a recall counts devices by what they said, and who said nothing is unreachable") {
    Recalling r;
    r.send_medium();
    r.accept_all();
    r.recall();
    const auto count = [&] {
        auto shown = agent::engine::messages_after(r.anna.core(), 0, 10);
        REQUIRE(shown);
        REQUIRE(shown->front().recall);
        return *shown->front().recall;
    };
    using agent::engine::RecallCount;
    CHECK(count() == RecallCount{1, 0, 0, 0, 1});
    auto& core = r.anna.core();
    const auto& bernd = r.town.people[1];
    const conversation::MessageRef ref{r.town.people[0].cert.device, r.message};
    const auto said = [&](conversation::Meaning meaning) {
        agent::engine::StoredMessage act;
        act.conversation = r.anna.with(1);
        act.user = bernd.user;
        act.device = bernd.cert.device;
        act.id = r.next_id();
        act.sent = act.received = r.clock.now();
        REQUIRE(core.transact([&](auto& tx) { return agent::engine::Acts(core).take(tx, act, meaning); }));
    };
    said(conversation::Receipt{false, {{ref.device, ref.message, {}}}});
    CHECK(count() == RecallCount{1, 1, 0, 0, 1});
    SECTION("erased before it was shown") {
        said(conversation::RecallReport{ref, conversation::Recalled::erased});
        CHECK(count() == RecallCount{1, 1, 0, 1, 0});
    }
    SECTION("shown before") {
        said(conversation::RecallReport{ref, conversation::Recalled::opened});
        CHECK(count() == RecallCount{1, 1, 1, 1, 0});
    }
}

}  // namespace nimes::test
