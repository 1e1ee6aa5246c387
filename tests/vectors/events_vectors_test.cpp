#include <catch2/catch.hpp>

#include "conversation/roster_state.hpp"
#include "golden.hpp"
#include "nimes/batch.hpp"

using namespace nimes;
using namespace nimes::test;
using namespace nimes::agent::conversation;

namespace {

// Applies a step of the file and holds what came of it against what stands there.
Applied take(std::optional<ConversationState>& state, const nlohmann::json& step, const nlohmann::json& makers) {
    const auto event = ConvEvent::parse(bytes(step["event"])).value();
    CHECK(event.encode() == bytes(step["event"]));
    DeviceCert maker;
    for (const auto& m : makers)
        if (m["key"] == step["by"]) {
            maker.user = id<UserId>(m["user"]);
            maker.device = id<DeviceId>(m["device"]);
            maker.identity = id<PublicKey>(m["key"]);
        }
    const auto outcome = apply(state, event, {true, &maker, nullptr, ActorFacts::Head::verified});
    if (outcome != Applied::applied) return outcome;
    CHECK(state->now().state == id<Digest>(step["state"]));
    Roster roster;
    for (const auto& m : step["roster"])
        roster.push_back({id<UserId>(m["user"]), static_cast<MemberRole>(m["role"].get<int>())});
    CHECK(state->now().roster == roster);
    return outcome;
}

}  // namespace

TEST_CASE("golden: a group's whole life, and a fork that is mended", "[vectors]") {
    const auto v = golden("events.json");
    std::optional<ConversationState> group;
    for (const auto& step : v["line"]) CHECK(take(group, step, v["makers"]) == Applied::applied);
    CHECK(group->now().closed);

    for (const bool other_first : {false, true}) {
        std::optional<ConversationState> state;
        for (const auto& step : v["fork"]["before"]) REQUIRE(take(state, step, v["makers"]) == Applied::applied);
        CHECK(take(state, v["fork"][other_first ? "other" : "one"], v["makers"]) == Applied::applied);
        CHECK(take(state, v["fork"][other_first ? "one" : "other"], v["makers"]) == Applied::forked);
        CHECK(state->fork_hash() == id<Digest>(v["fork"]["hash"]));
        CHECK(take(state, v["fork"]["mend"], v["makers"]) == Applied::applied);
        CHECK(state->epoch == 3);
    }
}

TEST_CASE("golden: batches of packets", "[vectors]") {
    const auto v = golden("batches.json");
    auto tail = UpBatch::begin();
    const auto done = v["done"].get<std::vector<std::uint64_t>>();
    auto down = DownBatch::begin(done);
    for (const auto& p : v["packets"]) {
        append_packet(tail, id<DeviceId>(p["device"]), bytes(p["bytes"]));
        append_packet(down, id<DeviceId>(p["device"]), bytes(p["bytes"]));
    }
    UpBatch::seal(tail, v["number"].get<std::uint64_t>(), v["dropped"].get<std::uint64_t>(),
                  v["waiting"].get<std::uint64_t>());
    CHECK(tail == bytes(v["up"]));
    CHECK(down == bytes(v["down"]));
    CHECK(UpBatch::parse(tail)->packets.size() == v["packets"].size());
    CHECK(DownBatch::parse(down)->done == done);
    for (const std::size_t at : {0u, 4u, 5u}) {
        auto changed_up = tail, changed_down = down;
        changed_up[at] ^= 1;
        changed_down[at] ^= 1;
        CHECK_FALSE(UpBatch::parse(changed_up));
        CHECK_FALSE(DownBatch::parse(changed_down));
    }
    CHECK_FALSE(UpBatch::parse(ByteView(tail).first(tail.size() - 1)));
    CHECK_FALSE(DownBatch::parse(ByteView(down).first(down.size() - 1)));
}
