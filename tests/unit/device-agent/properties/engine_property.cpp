// The whole engine with its container, between an honest gateway's rooms: what it refuses leaves no trace, and no copy
// of its home, put back, makes it seal two texts under one key and nonce.
#include <sqlite3.h>

#include "model/handset.hpp"
#include "property.hpp"
#include "unit/device-agent/container/fixture.hpp"

using namespace nimes;
using model::Handset;
using test::holds;

namespace {

namespace fs = std::filesystem;

struct Two {
    agent::container::TempDir folder;
    model::ModelClock clock;
    model::Chance chance;
    model::Server server{clock, chance};
    Handset anna, bernd;
    ConversationId together;
    int said = 0;

    explicit Two(model::Chance c)
        : chance(std::move(c)),
          anna(server, clock, chance, (server.person(0), folder.path() / "anna"), 0),
          bernd(server, clock, chance, (server.person(1), folder.path() / "bernd"), 1) {
        anna.enrol(Admission::first);
        bernd.enrol(Admission::first);
        together = anna.pair_with(bernd.user());
    }
    bool say() {
        clock.advance(kSecond);
        const auto done = anna.say(together, agent::conversation::Text{"text " + std::to_string(++said)});
        anna.settle();
        return done.has_value();
    }
    fs::path home_of_bernd() const { return folder.path() / "bernd"; }
};

constexpr int kSettings = static_cast<int>(agent::container::Table::settings);

// Every row of the container as it lies on the disk, sealed, but for the table that holds the counters and marks. Read
// from a copy: the container lets nobody else in.
std::set<Bytes> rows(const fs::path& home) {
    const agent::container::TempDir look;
    for (const auto* file : {"container.db", "container.db-wal"})
        if (fs::exists(home / file)) fs::copy_file(home / file, look.path() / file);
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open((look.path() / "container.db").c_str(), &db) == SQLITE_OK);
    sqlite3_stmt* query = nullptr;
    REQUIRE(sqlite3_prepare_v2(db, "SELECT tbl, id, version, sealed FROM records WHERE tbl <> ?1", -1, &query,
                               nullptr) == SQLITE_OK);
    sqlite3_bind_int(query, 1, kSettings);
    std::set<Bytes> out;
    while (sqlite3_step(query) == SQLITE_ROW) {
        Writer row;
        for (const int column : {0, 1, 2}) row.u64(static_cast<std::uint64_t>(sqlite3_column_int64(query, column)));
        const auto* sealed = static_cast<const std::uint8_t*>(sqlite3_column_blob(query, 3));
        row.bytes({sealed, static_cast<std::size_t>(sqlite3_column_bytes(query, 3))});
        out.insert(std::move(row).take());
    }
    sqlite3_finalize(query);
    sqlite3_close(db);
    return out;
}

// The settings by key, opened, without the two that count and mark.
std::map<Bytes, Bytes> settings(Handset& of) {
    const agent::engine::Lock lock(of.core().mutex);
    auto tx = of.core().box->begin();
    REQUIRE(tx);
    std::map<Bytes, Bytes> out;
    auto all = tx->scan(agent::container::Table::settings);
    REQUIRE(all);
    for (const auto& row : *all) out[row.key] = row.value;
    for (const auto name : {agent::engine::setting::kMarks, agent::engine::setting::kFailures})
        out.erase(agent::engine::setting_key(name));
    return out;
}

// A bit whose change must make it a thing to drop. Others would make it wait for something: a chain, a key, an event
// that nobody knows yet is asked for, and what waits is stored.
std::size_t bit_to_drop(const v1::Envelope& e, model::Chance& chance) {
    if (e.has_message()) {  // not the chain's id and the index
        const auto bit = chance.below((e.message().size() - 20) * 8);
        return bit < 4 * 8 ? bit : bit + 20 * 8;
    }
    if (e.has_grant()) return chance.below(kGrantShared * 8);  // not dev_no and key_id
    return 0;
}

}  // namespace

TEST_CASE("property: what the engine refuses changes no byte of its database but the counters") {
    holds(
        "refused without a trace",
        [] {
            Two world(test::chance());
            for (int round = 0; round < 4; ++round) {
                REQUIRE(world.say());
                auto& bag = world.server.bag(world.bernd.device());
                while (!bag.waiting.empty()) {
                    const auto honest = bag.waiting.front();
                    if (honest.has_message() || honest.has_grant()) {
                        auto bad = honest;
                        const auto bit = bit_to_drop(bad, world.chance);
                        auto* bytes = bad.has_message() ? bad.mutable_message() : bad.mutable_grant();
                        (*bytes)[bit / 8] = static_cast<char>((*bytes)[bit / 8] ^ (1 << bit % 8));
                        bag.waiting.push_front(bad);
                        const auto before = rows(world.home_of_bernd());
                        const auto before_settings = settings(world.bernd);
                        world.bernd.take(*world.server.hand_out(world.bernd.device()));
                        RC_LOG() << (bad.has_message() ? "message" : "grant") << " bit " << bit << std::endl;
                        RC_ASSERT(rows(world.home_of_bernd()) == before);
                        RC_ASSERT(settings(world.bernd) == before_settings);
                    }
                    world.bernd.take(*world.server.hand_out(world.bernd.device()));
                }
            }
            RC_ASSERT(world.bernd.shown_after(0).size() == 4u);  // all of it opened afterwards
        },
        0.15);
}

TEST_CASE("property: from whatever copy of its home a handset goes on, no key and nonce meet two texts") {
    holds(
        "rollback of a container",
        [] {
            Two world(test::chance());
            std::vector<fs::path> copies;
            const auto copy = fs::copy_options::recursive;
            std::map<std::tuple<ChainId, std::uint32_t, ByteArray<8>>, std::string> sealed;
            std::size_t restored = 0;
            REQUIRE(world.say());
            for (int step = 0; step < 12; ++step) {
                const auto what = world.chance.below(6);
                if (what == 0 || copies.empty()) {
                    copies.push_back(world.folder.path() / ("copy" + std::to_string(step)));
                    world.anna.restart([&](const fs::path& home) { fs::copy(home, copies.back(), copy); });
                } else if (what == 1) {
                    const auto& from = copies[world.chance.below(copies.size())];
                    world.anna.restart([&](const fs::path& home) {
                        fs::remove_all(home);
                        fs::copy(from, home, copy);
                    });
                    ++restored;
                } else {
                    (void)world.say();
                }
            }
            const auto& bag = world.server.bag(world.bernd.device());
            for (const auto& e : bag.waiting) {
                if (!e.has_message()) continue;
                const auto header = WireMessage::parse(as_bytes(e.message()))->header;
                const auto [at, fresh] =
                    sealed.emplace(std::tuple(header.chain, header.index, header.guard), e.message());
                RC_ASSERT((fresh || at->second == e.message()));
            }
            RC_CLASSIFY(restored > 0);
            RC_ASSERT(!sealed.empty());
        },
        0.05);
}
