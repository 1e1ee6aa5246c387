#include <catch2/catch.hpp>

#include "conversation/roster_state.hpp"
#include "golden.hpp"

using namespace nimes;
using namespace nimes::test;
using namespace nimes::agent::conversation;

namespace {

DirectoryEntry entry_of(const nlohmann::json& devices) {
    DirectoryEntry out;
    std::uint8_t n = 0;
    for (const auto& d : devices) {
        out.certs.emplace_back().device.bytes[0] = ++n;
        out.certs.back().not_before = d["not_before"].get<Millis>();
        if (d["revoked"].is_null()) continue;
        out.revokes.emplace_back().device.bytes[0] = n;
        out.revokes.back().effective = d["revoked"].get<Millis>();
    }
    return out;
}

}  // namespace

TEST_CASE("golden: appointments to a group whose administrator is gone", "[vectors]") {
    constexpr std::string_view kNames[] = {"applied", "repeated", "held", "dropped", "forked"};
    const auto v = golden("appointment.json");
    const auto create = ConvEvent::parse(bytes(v["create"])).value();
    DeviceCert anna;
    anna.user = create.actor_user;
    anna.device = create.actor_device;
    anna.identity = seeded(golden("identity.json")["seeds"]["a"]).public_key;
    std::optional<ConversationState> group;
    REQUIRE(apply(group, create, {true, &anna, nullptr, ActorFacts::Head::verified}) == Applied::applied);
    const OrgKeys keys{id<OrgId>(v["org"]), {}, {}, {id<PublicKey>(v["administrators"][0])}};
    for (const auto& one : v["cases"]) {
        INFO(one["why"].get<std::string>());
        const auto outcome = one["outcome"].get<std::string>();
        const auto event = ConvEvent::parse(bytes(one["bytes"]));
        REQUIRE(event.has_value() == (outcome != "malformed"));
        if (!event) continue;
        CHECK(event->encode() == bytes(one["bytes"]));
        std::map<UserId, DirectoryEntry> entries;
        for (const auto& e : one["entries"]) entries[id<UserId>(e["user"])] = entry_of(e["devices"]);
        ActorFacts facts{true,
                         event->by_organisation() ? nullptr : &anna,
                         nullptr,
                         ActorFacts::Head::verified,
                         &keys,
                         one["head_ts"].get<Millis>(),
                         [&](const UserId& user) {
                             const auto at = entries.find(user);
                             return at == entries.end() ? nullptr : &at->second;
                         }};
        auto state = group;
        const auto judged = apply(state, *event, facts);
        // What stands on something that is not here waits for it; to a reader of this file alone it does not fit.
        const bool follows = state->now().state == event->prev_hash && event->epoch == state->epoch + 1;
        const bool waits = judged == Applied::held && !follows;
        CHECK((waits ? "dropped" : kNames[static_cast<std::size_t>(judged)]) == outcome);
        if (judged != Applied::applied) continue;
        CHECK(state->now().state == id<Digest>(v["state"]));
        CHECK(roster_root(state->now().roster) == event->roster_root);
        CHECK(state->now().roster.size() == v["roster"].size());
    }
}
