#include "group.hpp"

#include <algorithm>

namespace nimes::load {

ConvEvent group_of(const std::vector<const Account*>& members, Millis now, RandomSource& random) {
    const auto& creator = *members.front();
    std::vector<UserId> users;
    for (const auto* member : members) users.push_back(member->user);
    std::sort(users.begin(), users.end());
    users.erase(std::unique(users.begin(), users.end()), users.end());

    ConvEvent out;
    random.fill(out.prev_hash.bytes);
    out.actor_user = creator.user;
    out.actor_device = creator.device;
    out.ts = now;
    Roster roster;
    for (const auto& user : users) {
        // Large conversations have few who post (FORMATS.md 2.12).
        const auto role = user == creator.user ? MemberRole::administrator : MemberRole::reader;
        out.items.push_back({user, role, RosterOp::add});
        roster.push_back({user, role});
    }
    out.roster_root = roster_root(roster);
    out.conversation = out.id_of_create();
    out.signature = sign_event(creator.identity.secret, out.body());
    return out;
}

}  // namespace nimes::load
