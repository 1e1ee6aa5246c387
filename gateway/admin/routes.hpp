// The administration's API: JSON over the Unix socket of the gateway, and nowhere else.
//
// Who may do what is the door's to say (rights/door.hpp): each route is added there with what it does. Every change is
// in the audit (audit/log.hpp), by who asked; every body may say "why", as may the query.
//   GET  /v1/admin/org                           POST /v1/admin/org {name, domain}      POST /v1/admin/units {name}
//   GET  /v1/admin/people[?unit=UNIT]            POST /v1/admin/roster[?dry_run=1|suspend=N] (CSV)
//   GET  /v1/admin/devices[?user=ADDRESS]        GET  /v1/admin/devices/{id}/wipe
//   GET  /v1/admin/approvals                     POST /v1/admin/devices/{id}/approve
//   GET  /v1/admin/groups/orphaned               GET  /v1/admin/groups/{id}
//   POST /v1/admin/groups/{id}/administrator {address}
//   GET  /v1/admin/audit[?from=SEQ]              GET  /v1/admin/audit/head
//   GET  /v1/admin/administrators                POST /v1/admin/administrators {name, address, role, units}
//   DELETE /v1/admin/administrators/{name}       GET  /v1/admin/self
// The whole of it is in schemas/openapi-admin.yaml. Threads and ownership as rights/door.hpp says; all references must
// outlive the door.
#pragma once

#include "admin/organisation.hpp"
#include "rights/door.hpp"

namespace nimes::gateway::admin {

struct Administration {
    Organisation& organisation;
    Registry& registry;
    Suspensions& suspensions;
    Approvals& approvals;
    Wipes& wipes;
    Groups& groups;
    rights::Administrators& administrators;
    audit::Log& audit;
};

void add_routes(rights::Door& door, const Administration& administration);

}  // namespace nimes::gateway::admin
