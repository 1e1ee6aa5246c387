#include "identity/identity.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "edge.hpp"

using namespace nimes;
using namespace nimes::plugin;
using namespace nimes::test;

namespace {

struct Running : Edge {
    Device anna{11}, bert{12};
    std::unique_ptr<Identity> identity;
    int gateway_connection = 0, c1 = 0, c2 = 0;  // stand for the broker's pointers

    Running() { start(); }
    void start() {
        identity.reset();
        identity = std::make_unique<Identity>(options, clock, broker);
    }
    void gateway_enters() {
        const auto id = gateway_text + "-1";
        const auto token = gateway_token();
        REQUIRE(identity->on_auth(&gateway_connection, {id, gateway_text, token, 5, 60}));
    }
    void control(const MirrorPart& part) { identity->on_control(&gateway_connection, sign(part)); }
    bool enters(const Device& d, const void* connection) {
        const auto t = token(d);
        return identity->on_auth(connection, connect(d.text, t));
    }
    bool publishes(const Device& d, const void* connection) {
        return identity->on_acl(connection, {Act::write, topic::up(d.id), 10, false, 1});
    }
    bool reads(const Device& d, const void* connection) {
        return identity->on_acl(connection, {Act::read, topic::down(d.id), 10, false, 0});
    }
};

}  // namespace

TEST_CASE("no device enters before the mirror came; a revoked one is cut in the next tick", "[identity]") {
    Running t;
    CHECK_FALSE(t.enters(t.anna, &t.c1));
    t.gateway_enters();
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    REQUIRE(t.enters(t.bert, &t.c2));
    CHECK(t.publishes(t.anna, &t.c1));
    t.control(t.delta({t.item(t.anna, MirrorState::revoked)}));
    CHECK(t.broker.kicked.empty());  // never from inside the control callback
    CHECK_FALSE(t.reads(t.anna, &t.c1));
    CHECK_FALSE(t.publishes(t.anna, &t.c1));
    t.identity->on_tick();
    CHECK(t.broker.kicked == std::vector<std::string>{t.anna.text});
    CHECK(t.reads(t.bert, &t.c2));
    t.identity->on_disconnect(&t.c1);
    CHECK_FALSE(t.enters(t.anna, &t.c1));

    SECTION("an offline device is never kicked") {
        t.identity->on_disconnect(&t.c2);
        t.control(t.delta({t.item(t.bert, MirrorState::suspended)}));
        t.identity->on_tick();
        CHECK(t.broker.kicked.size() == 1);
    }
    SECTION("a full copy that lacks a device cuts it too") {
        t.clock.advance(1);
        t.control(t.full({t.item(t.anna, MirrorState::revoked)}));
        t.identity->on_tick();
        CHECK(t.broker.kicked.back() == t.bert.text);
    }
}

TEST_CASE("only the gateway, only signed, only what fits changes the mirror", "[identity]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    t.identity->on_control(&t.c1, t.sign(t.full({t.item(t.anna), t.item(t.bert)})));
    CHECK_FALSE(t.enters(t.bert, &t.c2));
    auto forged = t.sign(t.full({t.item(t.anna), t.item(t.bert)}));
    forged.back() ^= 1;
    t.identity->on_control(&t.gateway_connection, forged);
    CHECK_FALSE(t.enters(t.bert, &t.c2));
    ++t.revision;  // a delta was lost: the next one does not fit
    t.control(t.delta({t.item(t.bert)}));
    CHECK_FALSE(t.enters(t.bert, &t.c2));
    t.broker.published.clear();
    t.identity->on_tick();
    REQUIRE_FALSE(t.broker.published.empty());
    CHECK(EdgeState::parse(t.broker.published.back().second)->wants_full);
    t.clock.advance(1);
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    CHECK(t.enters(t.bert, &t.c2));
    const auto old = t.full({t.item(t.bert, MirrorState::revoked)});
    t.clock.advance(1);
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    t.control(old);  // a replayed older copy
    CHECK(t.reads(t.bert, &t.c2));
}

TEST_CASE("presence follows the connection, also through a take-over", "[identity]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    t.identity->on_tick();
    CHECK(t.broker.presences().empty());  // admitted is not yet there
    t.identity->on_acl(&t.c1, {Act::subscribe, topic::down(t.anna.id), 0, false, 1});
    REQUIRE(t.enters(t.anna, &t.c2));  // the broker asks for the new one first, and ends the old one after
    t.identity->on_disconnect(&t.c1);
    t.identity->on_acl(&t.c2, {Act::subscribe, topic::down(t.anna.id), 0, false, 1});
    t.identity->on_tick();
    const auto told = t.broker.presences();
    REQUIRE(told.size() == 3);
    CHECK(told[0].kind == Presence::Kind::connected);
    CHECK(told[1].kind == Presence::Kind::gone);
    CHECK(told[1].connection == told[0].connection);
    CHECK(told[2].kind == Presence::Kind::connected);
    CHECK(told[2].connection > told[0].connection);
}

TEST_CASE("a reload keeps clients whose tokens ran out and drops those who must go", "[identity]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    REQUIRE(t.enters(t.bert, &t.c2));
    t.identity->on_tick();
    t.clock.advance(kHour);
    t.identity->on_tick();
    t.control(t.delta({t.item(t.bert, MirrorState::revoked)}));
    t.identity->on_reload();
    CHECK(t.identity->on_auth(&t.c1, connect(t.anna.text, "long expired")));
    CHECK_FALSE(t.identity->on_auth(&t.c2, connect(t.bert.text, "long expired")));
    int stranger = 0;
    // A session whose connection has gone: ending it would corrupt the broker. It may do nothing.
    CHECK(t.identity->on_auth(&stranger, connect(t.anna.text, "")));
    CHECK_FALSE(t.reads(t.anna, &stranger));
    CHECK_FALSE(t.publishes(t.anna, &stranger));
    t.identity->on_tick();
    CHECK_FALSE(t.identity->on_auth(&stranger, connect(t.anna.text, "long expired")));
}

TEST_CASE("a flood is cut to the device's rate, and others do not feel it", "[identity]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    REQUIRE(t.enters(t.bert, &t.c2));
    int passed = 0;
    for (int i = 0; i < 1'000; ++i) passed += t.publishes(t.anna, &t.c1) ? 1 : 0;
    CHECK(passed == static_cast<int>(t.options.rate_burst));
    CHECK(t.publishes(t.bert, &t.c2));
    t.clock.advance(kSecond);
    for (int i = 0; i < 1'000; ++i) passed += t.publishes(t.anna, &t.c1) ? 1 : 0;
    CHECK(passed == static_cast<int>(t.options.rate_burst + t.options.rate_per_second));
}

TEST_CASE("a broker that never ticks admits nobody", "[identity]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna)}));
    t.clock.advance(5'001);
    CHECK_FALSE(t.enters(t.anna, &t.c1));
    CHECK(t.broker.logged.find("per_listener_settings") != std::string::npos);
    t.identity->on_reload();  // no tick would end it
    int stranger = 0;
    CHECK_FALSE(t.identity->on_auth(&stranger, connect(t.anna.text, "no token")));
    t.identity->on_tick();
    CHECK(t.enters(t.anna, &t.c1));
}

TEST_CASE("a restarted broker works from its snapshot, and only from a good one", "[snapshot]") {
    Running t;
    t.gateway_enters();
    auto half = t.full({t.item(t.anna)});
    half.parts = 2;
    auto other = t.full({t.item(t.bert)});
    other.parts = 2;
    other.part = 1;
    t.control(half);
    t.control(other);
    t.clock.advance(1);
    t.control(t.delta({t.item(t.bert, MirrorState::revoked)}));
    for (int i = 0; i < 5; ++i) {
        t.clock.advance(kMinute);
        MirrorPart heartbeat{
            MirrorPart::Kind::delta, t.options.org, "edge-1", t.clock.wall, t.revision, t.revision, 0, 1, {}};
        t.control(heartbeat);
        t.identity->on_tick();
    }
    t.identity.reset();  // waits for the writer
    const auto size = std::filesystem::file_size(t.options.snapshot);
    CHECK(size < 1'000);  // four parts: of the heartbeats only the last is kept

    SECTION("good") {
        t.start();
        CHECK(t.enters(t.anna, &t.c1));
        CHECK_FALSE(t.enters(t.bert, &t.c2));
    }
    SECTION("too old") {
        t.clock.advance(25 * kHour);
        t.start();
        CHECK_FALSE(t.enters(t.anna, &t.c1));
        CHECK(t.broker.logged.find("too old") != std::string::npos);
    }
    SECTION("another edge's") {
        t.options.broker = "edge-2";
        t.start();
        CHECK_FALSE(t.enters(t.anna, &t.c1));
    }
    SECTION("another directory's") {
        t.options.directory_key = t.gateway.public_key;
        t.start();
        CHECK_FALSE(t.enters(t.anna, &t.c1));
    }
    SECTION("cut off, at any byte") {
        for (std::uintmax_t n = 0; n < size; n += 7) {
            std::filesystem::copy_file(t.options.snapshot, t.folder / "whole",
                                       std::filesystem::copy_options::overwrite_existing);
            std::filesystem::resize_file(t.options.snapshot, n);
            SnapshotLog log;
            const auto table = load_snapshot(t.options, t.clock.wall, log);
            // Cut exactly between two parts it is an older, but whole and signed state; anywhere else it is refused.
            if (table) CHECK(table->find(t.anna.id) != nullptr);
            std::filesystem::copy_file(t.folder / "whole", t.options.snapshot,
                                       std::filesystem::copy_options::overwrite_existing);
        }
    }
    SECTION("any byte changed") {
        for (std::uintmax_t at = 0; at < size; at += 11) {
            std::fstream file(t.options.snapshot, std::ios::in | std::ios::out | std::ios::binary);
            file.seekg(static_cast<std::streamoff>(at));
            const auto was = static_cast<char>(file.get());
            file.seekp(static_cast<std::streamoff>(at));
            file.put(static_cast<char>(was ^ 1));
            file.close();
            SnapshotLog log;
            CHECK_FALSE(load_snapshot(t.options, t.clock.wall, log));
            std::fstream back(t.options.snapshot, std::ios::in | std::ios::out | std::ios::binary);
            back.seekp(static_cast<std::streamoff>(at));
            back.put(was);
        }
    }
}

TEST_CASE("a snapshot that cannot be written is tried again, and does not flood the log", "[snapshot]") {
    Running t;
    t.options.snapshot = t.folder / "missing" / "snapshot";
    t.start();
    t.gateway_enters();
    t.control(t.full({t.item(t.anna)}));
    const auto complaints = [&t] {
        std::size_t out = 0;
        for (std::size_t at = 0; (at = t.broker.logged.find("could not be written", at)) != std::string::npos; ++at)
            ++out;
        return out;
    };
    const auto tick_until = [&t](const auto& condition) {
        for (int i = 0; i < 3'000 && !condition(); ++i) {  // the writer is a thread of its own
            t.identity->on_tick();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return condition();
    };
    REQUIRE(tick_until([&] { return complaints() == 1; }));
    for (int i = 0; i < 50; ++i) {  // five seconds of ticks
        t.clock.advance(100);
        t.identity->on_tick();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(complaints() == 1);
    CHECK(t.enters(t.anna, &t.c1));  // service goes on
    t.clock.advance(10 * kSecond);
    REQUIRE(tick_until([&] { return complaints() == 2; }));
    std::filesystem::create_directory(t.folder / "missing");
    t.clock.advance(10 * kSecond);
    CHECK(tick_until([&] { return std::filesystem::exists(t.options.snapshot); }));
}

TEST_CASE("options: what is unknown, missing or malformed stops the broker", "[options]") {
    const std::string key(64, 'a');
    const OptionPairs good = {{"broker", "edge-1"},
                              {"organisation", "polizei-test"},
                              {"directory_key", key},
                              {"gateway_key", key},
                              {"audience", "mqtts://a.example:8883,mqtts://b.example:8883"},
                              {"snapshot", "/var/lib/nimes/snapshot"}};
    REQUIRE(parse_options(good));
    CHECK(parse_options(good)->audiences.size() == 2);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto less = good;
        less.erase(less.begin() + static_cast<long>(i));
        CHECK_FALSE(parse_options(less));
        auto twice = good;
        twice.push_back(good[i]);
        CHECK_FALSE(parse_options(twice));
        auto empty = good;
        empty[i].second.clear();
        CHECK_FALSE(parse_options(empty));
    }
    for (const auto& [name, value] : OptionPairs{{"gatewaykey", key},
                                                 {"rate_burst", "0"},
                                                 {"rate_burst", "-1"},
                                                 {"rate_burst", "9x"},
                                                 {"snapshot_max_age_hours", "0"},
                                                 {"snapshot_max_age_hours", "169"}}) {
        auto more = good;
        more.emplace_back(name, value);
        CHECK(parse_options(more).error().code == Errc::bad_config);
    }
}

TEST_CASE("packets go in batches both ways, and only from and to whom they belong", "[relay]") {
    Running t;
    t.gateway_enters();
    t.control(t.full({t.item(t.anna), t.item(t.bert)}));
    REQUIRE(t.enters(t.anna, &t.c1));
    const auto batches = [&t] {
        std::vector<std::pair<std::string, Bytes>> out;
        for (const auto& p : t.broker.published)
            if (p.first == topic::up_batch("edge-1")) out.push_back(p);
        return out;
    };
    const Bytes packet(10, 7);
    CHECK(t.identity->on_message(&t.c1, packet, 0));
    CHECK_FALSE(t.identity->on_message(&t.c1, packet, 1));  // the broker's own answer is wanted
    int stranger = 0;
    CHECK_FALSE(t.identity->on_message(&stranger, packet, 0));
    t.identity->on_tick();
    CHECK(batches().empty());  // nobody is there to have it
    REQUIRE(t.identity->on_acl(&t.gateway_connection, {Act::subscribe, topic::kBatchSubscription, 0, false, 1}));
    CHECK(batches().empty());  // never from inside the callback
    t.identity->on_tick();
    REQUIRE(batches().size() == 1);
    const auto up = UpBatch::parse(batches()[0].second).value();
    REQUIRE(up.packets.size() == 1);
    CHECK(up.packets[0].device == t.anna.id);

    const std::uint64_t done[] = {up.number};
    auto down = DownBatch::begin(done);
    append_packet(down, t.anna.id, packet);
    append_packet(down, t.bert.id, packet);  // who is not here
    t.broker.published.clear();
    t.identity->on_down(&t.c1, down);  // a device is no gateway
    t.identity->on_tick();
    CHECK(t.broker.published.empty());
    t.identity->on_down(&t.gateway_connection, down);
    t.identity->on_tick();
    REQUIRE(t.broker.published.size() == 1);
    CHECK(t.broker.published[0] == std::pair(topic::down(t.anna.id), packet));
    t.clock.advance(Relay::kRepeat);
    t.broker.published.clear();
    t.identity->on_tick();
    CHECK(batches().empty());  // it is done
    t.identity->on_down(&t.gateway_connection, Bytes(7, 1));
    t.identity->on_tick();
    CHECK(t.broker.logged.find("a batch of the gateway was refused") != std::string::npos);
}

TEST_CASE("the presences of many are few packets", "[identity]") {
    Running t;
    t.gateway_enters();
    std::vector<MirrorItem> items;
    std::vector<Device> devices;
    for (std::uint8_t n = 1; n <= 200; ++n) devices.emplace_back(n);
    for (const auto& d : devices) items.push_back(t.item(d));
    t.control(t.full(items));
    for (const auto& d : devices) {
        REQUIRE(t.enters(d, &d));
        REQUIRE(t.identity->on_acl(&d, {Act::subscribe, topic::down(d.id), 0, false, 1}));
    }
    t.broker.published.clear();
    t.identity->on_tick();
    CHECK(t.broker.presences().size() == 200);
    CHECK(t.broker.published.size() <= 2);
}
