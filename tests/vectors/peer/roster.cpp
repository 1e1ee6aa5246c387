#include "conversation/roster_state.hpp"
#include "operations.hpp"

namespace nimes::test::peer {
namespace {

using namespace nimes::agent::conversation;

Json roster_json(const Roster& roster) {
    Json out = Json::array();
    for (const auto& m : roster) out.push_back({{"user", hex(m.user.view())}, {"role", static_cast<int>(m.role)}});
    return out;
}

// Events one after the other, each by a device that is proven: {"outcomes": […], "roster": […], …}.
Json events(const Json& q) {
    constexpr std::string_view kNames[] = {"applied", "repeated", "held", "dropped", "forked"};
    std::optional<ConversationState> state;
    Json outcomes = Json::array();
    for (const auto& item : q.at("events")) {
        const auto event = ConvEvent::parse(bytes(item.at("bytes")));
        if (!event) {
            outcomes.push_back("malformed");
            continue;
        }
        DeviceCert cert;
        cert.user = id<UserId>(item.at("user"));
        cert.device = id<DeviceId>(item.at("device"));
        cert.identity = id<PublicKey>(item.at("key"));
        const ActorFacts actor{true, &cert, nullptr, ActorFacts::Head::verified};
        outcomes.push_back(kNames[static_cast<std::size_t>(apply(state, *event, actor))]);
    }
    Json out = {{"outcomes", outcomes}};
    if (state) {
        out["epoch"] = state->epoch;
        out["state"] = hex(state->now().state.view());
        out["roster"] = roster_json(state->now().roster);
        out["closed"] = state->now().closed;
    }
    return out;
}

Json root(const Json& q) {
    Roster roster;
    for (const auto& m : q.at("roster"))
        roster.push_back({id<UserId>(m.at("user")), static_cast<MemberRole>(m.at("role").get<int>())});
    return {{"root", hex(roster_root(roster).view())}};
}

}  // namespace

Operations roster_operations() { return {{"events", events}, {"roster_root", root}}; }

}  // namespace nimes::test::peer
