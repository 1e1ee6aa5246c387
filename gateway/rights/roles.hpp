// Who may do what in the administration: one table, role by action by scope (roles.cpp), and what follows from it.
//
// A role is held in the whole organisation or in named units. Owners and auditors are always of the whole organisation:
// there is no part of an audit that belongs to a unit, and nobody makes administrators for a unit alone. Pure values;
// threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nimes::gateway::rights {

enum class Role : std::uint8_t { owner, administrator, help_desk, auditor };
enum class Action : std::uint8_t {
    look,                 // who am I, what is here: organisation, units, health
    see_people,           // people, devices, who waits for an approval, wipes
    see_orders,           // suspensions, revocations, and how far they came
    suspend,              // can be undone
    reinstate,            // undoes it
    revoke,               // is final
    approve,              // a device of somebody who has lost all others
    import_roster,        // who may enrol; suspends who left
    read_audit,           // who did what
    organise,             // the organisation and its units
    provision,            // the handsets' provisioning file
    steward_groups,       // groups that lost their administrators
    make_administrators,  // and owners, and take their rights away
};
inline constexpr std::size_t kRoles = 4;
inline constexpr std::size_t kActions = 13;

std::string_view name(Role role);
std::string_view name(Action action);
std::optional<Role> role_of(std::string_view name);

enum class Grant : std::uint8_t {
    no,
    in_scope,    // in the whole organisation, or in one's units
    whole_only,  // only who holds the role in the whole organisation
};
Grant grant(Role role, Action action);
// A role that is never held in a unit alone.
bool always_whole(Role role);
// "an owner or an administrator of the organisation": what would be right, for a refusal.
std::string who_may(Action action);

// Who asks, as the door found it.
struct Asker {
    std::string who;   // for the audit: "administrator anna, uid 1001", "uid 0 login 1001, local root"
    std::string name;  // of an administrator; "" for the local root
    Role role = Role::auditor;
    std::vector<std::string> units;  // empty: the whole organisation

    [[nodiscard]] bool whole() const { return units.empty(); }
    [[nodiscard]] bool covers(std::string_view unit) const;
    [[nodiscard]] bool may(Action action) const;
};

}  // namespace nimes::gateway::rights
