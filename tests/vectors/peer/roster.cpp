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

// What an appointment is judged by of an entry: when its devices began, and what ended them.
DirectoryEntry entry(const Json& e) {
    DirectoryEntry out;
    std::uint8_t n = 0;
    for (const auto& d : e.at("devices")) {
        DeviceCert cert;
        cert.device.bytes[0] = ++n;
        cert.not_before = number(d.at("not_before"));
        out.certs.push_back(cert);
        if (d.at("revoked").is_null()) continue;
        DeviceRevoke revoke;
        revoke.device = cert.device;
        revoke.effective = number(d.at("revoked"));
        out.revokes.push_back(revoke);
    }
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

// An appointment on the state after a creation: {"outcome", and "state" and "roster" when it is applied}.
Json appointment(const Json& q) {
    constexpr std::string_view kNames[] = {"applied", "repeated", "held", "dropped", "forked"};
    const auto create = must(ConvEvent::parse(bytes(q.at("create"))));
    DeviceCert maker;
    maker.user = create.actor_user;
    maker.device = create.actor_device;
    maker.identity = id<PublicKey>(q.at("maker"));
    std::optional<ConversationState> state;
    if (apply(state, create, {true, &maker, nullptr, ActorFacts::Head::verified}) != Applied::applied)
        return {{"outcome", "no group"}};
    const auto event = ConvEvent::parse(bytes(q.at("bytes")));
    if (!event) return {{"outcome", "malformed"}};

    OrgKeys keys{id<OrgId>(q.at("org")), {}, {}, {}};
    for (const auto& key : q.at("administrators")) keys.administrators.push_back(id<PublicKey>(key));
    std::map<UserId, DirectoryEntry> entries;
    for (const auto& e : q.at("entries")) entries[id<UserId>(e.at("user"))] = entry(e);
    ActorFacts facts;
    facts.entry_known = true;
    facts.head = ActorFacts::Head::verified;
    facts.keys = &keys;
    facts.head_ts = number(q.at("head_ts"));
    facts.entry_of = [&](const UserId& user) {
        const auto at = entries.find(user);
        return at == entries.end() ? nullptr : &at->second;
    };
    const auto outcome = apply(state, *event, facts);
    Json out{{"outcome", kNames[static_cast<std::size_t>(outcome)]}};
    out["state"] = hex(state->now().state.view());
    out["roster"] = roster_json(state->now().roster);
    return out;
}

Json root(const Json& q) {
    Roster roster;
    for (const auto& m : q.at("roster"))
        roster.push_back({id<UserId>(m.at("user")), static_cast<MemberRole>(m.at("role").get<int>())});
    return {{"root", hex(roster_root(roster).view())}};
}

}  // namespace

Operations roster_operations() { return {{"events", events}, {"appointment", appointment}, {"roster_root", root}}; }

}  // namespace nimes::test::peer
