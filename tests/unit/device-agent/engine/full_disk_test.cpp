// A handset whose disk is full while messages come: what could not be stored must not stay in memory either, or what
// comes again is taken for a repeat and a restart has never heard of it.
#include <catch2/catch.hpp>
#include <sstream>

#include "engine/monitor.hpp"
#include "handset.hpp"
#include "nimes/encoding.hpp"
#include "post.hpp"
#include "unit/device-agent/container/fixture.hpp"
#include "write_points.hpp"

namespace nimes::test {
namespace {

namespace fs = std::filesystem;
using agent::conversation::Info;
using agent::conversation::Text;

constexpr std::size_t kTexts = 3;

// Anna says something to Bernd, makes a group, names it, and says something there.
struct Story {
    agent::container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Town town{{"anna", "bernd", "carla"}};
    Post post{town, dir.path() / "post"};
    ConversationId group;

    Story() {
        Handset anna{town, 0, dir.path() / "anna", clock, random};
        Handset bernd{town, 1, dir.path() / "before", clock, random};
        for (auto* handset : {&anna, &bernd}) {
            REQUIRE(handset->make());
            REQUIRE(handset->open());
            REQUIRE(handset->learn());
        }
        bernd.close();
        REQUIRE(anna.say(1, random.id<MessageId>(), Text{"das erste"}));
        send(anna);
        const auto event = agent::conversation::create_group(*anna.compose().maker(),
                                                             {town.people[1].user, town.people[2].user}, random);
        group = event.conversation;
        REQUIRE(anna.compose().event(event));
        send(anna);
        const auto say = [&](agent::conversation::Meaning meaning) {
            REQUIRE(anna.compose().message(group, random.id<MessageId>(), std::move(meaning)));
        };
        say(Info{"Streife 12", {}, 3600});
        say(Text{"an alle"});
        say(Text{"noch etwas"});
        send(anna);
    }
    void send(Handset& anna) {
        REQUIRE(anna.accepted({}));
        for (const auto& item : anna.waiting()) {
            REQUIRE(post.submit(0, item.up, clock.now()));
            REQUIRE(anna.accepted(item.id));
        }
    }
    // What comes to Bernd: all of it, and one that is damaged before the last.
    [[nodiscard]] std::vector<v1::Envelope> delivered() const {
        auto out = post.everything(1);
        out.push_back(out.back());
        auto& damaged = out[out.size() - 2];
        damaged.mutable_message()->back() ^= 1;
        out.back().set_sequence(damaged.sequence() + 1);
        return out;
    }
    [[nodiscard]] fs::path shadow() const { return dir.path() / "shadow"; }
    // Bernd's home as it was before anything came.
    [[nodiscard]] fs::path copy(std::uint64_t number) const {
        const auto to = dir.path() / ("bernd" + std::to_string(number));
        fs::copy(dir.path() / "before", to, fs::copy_options::recursive);
        return to;
    }
};

// What the core holds of what a container should have, as words.
std::string held(agent::engine::Core& core) {
    std::ostringstream out;
    for (const auto& [id, state] : core.conversations) out << to_hex(id.view()) << " epoch " << state.epoch << "\n";
    for (const auto& [id, info] : core.infos)
        out << to_hex(id.view()) << " info " << info.title << " " << info.expires_after_s << "\n";
    for (const auto& [id, newer] : core.newer_epochs) out << "newer " << newer.epoch << "\n";
    for (const auto& [revision, since] : core.monitored) out << "monitored " << revision << " " << since << "\n";
    for (const auto& [lane, mark] : core.marks)
        if (mark > 0) out << "mark " << int{lane} << " " << mark << "\n";
    const auto& f = core.failures;
    out << f.damaged << f.unreadable << f.refused << f.lost << (f == core.stored_failures) << "\n";
    out << "doubted " << core.doubted.size() << ", newest " << core.newest_message << "\n";
    return out.str();
}

std::vector<v1::Envelope> part(const std::vector<v1::Envelope>& all, std::size_t from, std::size_t count) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(count, all.size() - from))};
}

std::size_t texts(agent::engine::Core& core) {
    std::size_t out = 0;
    const auto shown = agent::engine::messages_after(core, 0, 100);
    for (const auto& m : shown.value())
        out +=
            m.message.state == agent::engine::MessageState::opened && std::holds_alternative<Text>(m.meaning) ? 1 : 0;
    return out;
}

}  // namespace

TEST_CASE("the disk is full at any write while messages come: nothing is lost, memory and disk agree") {
    const bool restarts = GENERATE(false, true);  // before what was not acknowledged comes again
    const auto packet = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{100});  // envelopes in it, at most
    Story story;
    const auto envelopes = story.delivered();
    std::size_t failed = 0;
    for (std::uint64_t at = 0;; ++at) {
        const auto home = story.copy(at);
        Handset bernd{story.town, 1, home, story.clock, story.random};
        REQUIRE(bernd.open());
        const auto same_after_restart = [&] {
            const auto in_memory = held(bernd.core());
            bernd.close();
            REQUIRE(bernd.open());
            CHECK(held(bernd.core()) == in_memory);
        };
        fs::create_directories(story.shadow());
        watch(home, story.shadow(), at, Cut::full);
        std::size_t next = 0;
        while (next < envelopes.size() && bernd.take(part(envelopes, next, packet))) next += packet;
        const auto points = unwatch();
        INFO("full from write " << at << " of " << points << ", in envelope " << next << " of " << envelopes.size());
        failed += next < envelopes.size() ? 1 : 0;
        if (restarts) same_after_restart();
        for (std::size_t again = 0; again < envelopes.size(); again += packet)
            REQUIRE(bernd.take(part(envelopes, again, packet)));
        CHECK(texts(bernd.core()) == kTexts);
        CHECK(bernd.core().failures.damaged == 1);
        CHECK(held(bernd.core()).find(" info Streife 12 3600") != std::string::npos);
        same_after_restart();
        CHECK(texts(bernd.core()) == kTexts);
        bernd.close();
        fs::remove_all(home);
        if (at >= points) break;
    }
    CHECK(failed > envelopes.size());
}

TEST_CASE("one that the store cannot take keeps nothing back that came before it in its packet") {
    Story story;
    auto envelopes = story.delivered();
    auto unknown = envelopes.back();  // of a chain that nobody granted: it would be held
    for (int i = 0; i < 300'000; ++i) unknown.add_users(std::string(16, 'u'));
    REQUIRE(unknown.has_message());
    std::fill_n(unknown.mutable_message()->begin() + 4, 16, 'c');
    unknown.set_message_id(std::string(16, 'm'));
    unknown.set_sequence(envelopes.back().sequence() + 1);
    envelopes.push_back(unknown);
    Handset bernd{story.town, 1, story.copy(0), story.clock, story.random};
    REQUIRE(bernd.open());
    const auto taken = bernd.take(envelopes);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::too_large);
    CHECK(texts(bernd.core()) == kTexts);
    CHECK(bernd.core().failures.damaged == 1);
    CHECK(bernd.core().marks[unknown.lane()] == unknown.sequence() - 1);
    const auto in_memory = held(bernd.core());
    bernd.close();
    REQUIRE(bernd.open());
    CHECK(held(bernd.core()) == in_memory);
}

}  // namespace nimes::test
