#include "operations.hpp"
#include "sealing/grant_opener.hpp"

namespace nimes::test::peer {
namespace {

using namespace nimes::agent::sealing;

Roster roster(const Json& list) {
    Roster out;
    for (const auto& m : list)
        out.push_back({id<UserId>(m.at("user")), static_cast<MemberRole>(m.at("role").get<int>())});
    return out;
}

OpenedGrant opened(const Json& q) {
    const auto body = bytes(q.at("body"));
    return {must(GrantHeader::parse(bytes(q.at("header")))), must(ChainBody::parse(body)),
            q.contains("signature") ? id<Signature>(q.at("signature")) : Signature{}, hash("NM1/grant-body", {body})};
}

// What lives as long as the facts that point at it.
struct Known {
    std::optional<DeviceCert> sender;
    std::optional<DeviceRevoke> revoke;
    Roster then, now;
    std::optional<ReceivingChain> held;
};

GrantFacts facts(const Json& q, Known& known) {
    GrantFacts out;
    out.own_user = id<UserId>(q.at("own_user"));
    out.retention = number(q.at("retention"));
    out.sender_entry_known = q.at("entry_known").get<bool>();
    if (!q.at("sender").is_null()) out.sender = &known.sender.emplace(must(DeviceCert::parse(bytes(q.at("sender")))));
    // Only of the very device: the entry is asked for body.device.
    if (!q.at("revoke").is_null()) {
        auto& revoke = known.revoke.emplace();
        revoke.reason = static_cast<RevokeReason>(q.at("revoke").at("reason").get<int>());
        revoke.effective = number(q.at("revoke").at("effective"));
        out.sender_revoke = &revoke;
    }
    if (!q.at("state_at_epoch").is_null()) {
        out.state_at_epoch = id<Digest>(q.at("state_at_epoch"));
        known.then = roster(q.at("roster_at_epoch"));
        known.now = roster(q.at("roster_now"));
        out.roster_at_epoch = &known.then;
        out.roster_now = &known.now;
    }
    out.closed_at_epoch = q.at("closed").get<bool>();
    const auto head = q.at("head").get<std::string>();
    out.head = head == "verified"  ? GrantFacts::Head::verified
               : head == "unknown" ? GrantFacts::Head::unknown
                                   : GrantFacts::Head::failed;
    out.head_ts = number(q.at("head_ts"));
    out.highest_chain_no = number<std::uint32_t>(q.at("highest"));
    if (!q.at("held").is_null()) out.held = &known.held.emplace(accept_grant(opened(q.at("held")), {}, false));
    return out;
}

Json grant_judge(const Json& q) {
    constexpr std::string_view kNames[] = {"opened", "held", "withheld", "dropped"};
    Known known;
    const auto verdict = judge_grant(opened(q), facts(q.at("facts"), known), number(q.at("now")));
    return {{"outcome", kNames[static_cast<std::size_t>(verdict.outcome)]}, {"rule", verdict.rule}};
}

}  // namespace

Operations judging_operations() { return {{"grant_judge", grant_judge}}; }

}  // namespace nimes::test::peer
