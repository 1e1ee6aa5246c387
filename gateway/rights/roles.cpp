#include "rights/roles.hpp"

#include <algorithm>

namespace nimes::gateway::rights {
namespace {

using enum Grant;

// The table. A help desk may suspend, because a stolen phone at three at night cannot wait, and lets nobody in again:
// that is for somebody who can find out whether it was found.
struct Row {
    Action action;
    std::string_view name;
    Grant by[kRoles];  // in the order of Role: owner, administrator, help desk, auditor
};
constexpr Row kTable[] = {
    // clang-format off
    {Action::look,                "look",                {in_scope,   in_scope,   in_scope, in_scope}},
    {Action::see_people,          "see_people",          {in_scope,   in_scope,   in_scope, in_scope}},
    {Action::see_orders,          "see_orders",          {in_scope,   in_scope,   in_scope, in_scope}},
    {Action::suspend,             "suspend",             {in_scope,   in_scope,   in_scope, no}},
    {Action::reinstate,           "reinstate",           {in_scope,   in_scope,   no,       no}},
    {Action::revoke,              "revoke",              {in_scope,   in_scope,   no,       no}},
    {Action::approve,             "approve",             {in_scope,   in_scope,   in_scope, no}},
    {Action::import_roster,       "import_roster",       {in_scope,   in_scope,   no,       no}},
    {Action::read_audit,          "read_audit",          {whole_only, whole_only, no,       whole_only}},
    {Action::organise,            "organise",            {whole_only, whole_only, no,       no}},
    {Action::provision,           "provision",           {whole_only, whole_only, no,       no}},
    {Action::steward_groups,      "steward_groups",      {whole_only, whole_only, no,       no}},
    {Action::make_administrators, "make_administrators", {whole_only, no,         no,       no}},
    // clang-format on
};

static_assert(std::size(kTable) == kActions && static_cast<std::size_t>(Action::make_administrators) + 1 == kActions,
              "every action has one row");
constexpr bool in_order() {
    for (std::size_t i = 0; i < kActions; ++i)
        if (kTable[i].action != static_cast<Action>(i)) return false;
    return true;
}
static_assert(in_order(), "rows stand in the order of Action");

constexpr std::array<std::string_view, kRoles> kNames{"owner", "administrator", "help_desk", "auditor"};
constexpr std::array<const char*, kRoles> kSaid{"an owner", "an administrator", "a help desk", "an auditor"};

const Row& row(Action action) { return kTable[static_cast<std::size_t>(action)]; }

}  // namespace

std::string_view name(Role role) { return kNames[static_cast<std::size_t>(role)]; }
std::string_view name(Action action) { return row(action).name; }

std::optional<Role> role_of(std::string_view name) {
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at == kNames.end()) return std::nullopt;
    return static_cast<Role>(at - kNames.begin());
}

Grant grant(Role role, Action action) { return row(action).by[static_cast<std::size_t>(role)]; }

bool always_whole(Role role) { return role == Role::owner || role == Role::auditor; }

std::string who_may(Action action) {
    std::string out;
    for (std::size_t i = 0; i < kRoles; ++i) {
        const auto given = row(action).by[i];
        if (given == no) continue;
        if (!out.empty()) out += ", ";
        out += kSaid[i];
        if (!always_whole(static_cast<Role>(i))) out += given == in_scope ? " of the unit" : " of the organisation";
    }
    return out;
}

bool Asker::covers(std::string_view unit) const {
    return whole() || std::find(units.begin(), units.end(), unit) != units.end();
}

bool Asker::may(Action action) const {
    const auto given = grant(role, action);
    return given == in_scope || (given == whole_only && whole());
}

}  // namespace nimes::gateway::rights
