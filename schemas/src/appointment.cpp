#include "nimes/appointment.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr Millis kClockSlack = 10 * kMinute;

const Member* find(const Roster& roster, const UserId& user) {
    const auto at = std::find_if(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
    return at == roster.end() ? nullptr : &*at;
}

}  // namespace

Result<ConvEvent> make_appointment(const SigningKeyPair& administrator, const OrgId& org, const AppointmentBase& base,
                                   const UserId& member, const DirectoryHead& head, Millis now) {
    const auto* there = find(base.roster, member);
    if (there == nullptr) return fail(Errc::not_a_member, "only a member of the group is made its administrator");
    if (there->role == MemberRole::administrator) return fail(Errc::exists, "an administrator of the group already");
    ConvEvent e;
    e.kind = EventKind::change;
    e.conversation = base.conversation;
    e.epoch = base.epoch + 1;
    e.prev_hash = base.state;
    e.actor_device = key_actor(administrator.public_key);
    e.ts = now;
    e.dir_revision = head.revision;
    e.dir_head = head.hash();
    e.items.push_back({member, MemberRole::administrator, RosterOp::set_role});
    auto after = base.roster;
    for (auto& m : after)
        if (m.user == member) m.role = MemberRole::administrator;
    e.roster_root = roster_root(after);
    const auto body = e.body();
    e.signature = sign(administrator.secret, label::kConversationEvent, {org.view(), body});
    return e;
}

bool verify_appointment(const ConvEvent& event, const OrgKeys& keys) {
    if (!event.by_organisation() || event.kind != EventKind::change) return false;
    const auto* key = keys.administrator(event.actor_device);
    return key != nullptr && verify(*key, event.signature, label::kConversationEvent, {keys.org.view(), event.body()});
}

bool appoints_member(const ConvEvent& event, const Roster& before) {
    if (event.kind != EventKind::change || event.items.size() != 1) return false;
    const auto& item = event.items[0];
    const auto* there = find(before, item.user);
    return item.op == RosterOp::set_role && item.role == MemberRole::administrator && there != nullptr &&
           there->role != MemberRole::administrator;
}

bool follows_head(const ConvEvent& event, Millis head_ts) { return event.ts + kClockSlack >= head_ts; }

bool stands(const DeviceCert& cert, const DeviceRevoke* revoke, Millis at) {
    return cert.not_before <= at && (revoke == nullptr || revoke->effective > at);
}

bool has_device(const DirectoryEntry& entry, Millis at) {
    return std::any_of(entry.certs.begin(), entry.certs.end(),
                       [&](const DeviceCert& cert) { return stands(cert, entry.revoke(cert.device), at); });
}

}  // namespace nimes
