// The administration's API: JSON over the Unix socket of the gateway, and nowhere else.
//
// Who may open the socket (mode 0600) may do everything; so no route here wants a token. Every change is in the audit
// (audit/log.hpp), by the user id, and the login, of who is at the socket; every body may say "why", as may the query.
//   POST /v1/admin/org {name, domain}            POST /v1/admin/units {name}
//   POST /v1/admin/roster[?dry_run=1|suspend=N] (CSV)
//                                                GET  /v1/admin/devices[?user=ADDRESS]
//   GET  /v1/admin/approvals                     POST /v1/admin/devices/{id}/approve
//   GET  /v1/admin/devices/{id}/wipe             GET  /v1/admin/groups/orphaned               GET /v1/admin/groups/{id}
//   POST /v1/admin/groups/{id}/administrator {address}
//   GET  /v1/admin/audit[?from=SEQ]             GET  /v1/admin/audit/head
// Threads and ownership as http/router.hpp says; all references must outlive the router.
#pragma once

#include "admin/organisation.hpp"
#include "audit/log.hpp"
#include "http/router.hpp"

namespace nimes::gateway::admin {

struct Administration {
    Organisation& organisation;
    Registry& registry;
    Suspensions& suspensions;
    Approvals& approvals;
    Wipes& wipes;
    Groups& groups;
    audit::Log& audit;
};

void add_routes(http::Router& router, const Administration& administration);

}  // namespace nimes::gateway::admin
