// The API of revocations: JSON over the administration's socket, for the command line and for a console.
//
//   POST /v1/admin/revocations {kind, devices, users, unit, reason, why}
//   GET  /v1/admin/revocations[?before=ID]       GET  /v1/admin/revocations/{id}
//   POST /v1/admin/devices/{id}/suspend|resume   POST /v1/admin/devices/{id}/revoke {reason}
//   GET  /v1/admin/devices/{id}/revocation       the newest order on a device
// The whole of it is in schemas/openapi-admin.yaml. Threads and ownership as http/router.hpp says; runner and names
// must outlive the router.
#pragma once

#include "http/router.hpp"
#include "revocation/runner.hpp"

namespace nimes::gateway::revocation {

void add_routes(http::Router& router, Runner& runner, const Names& names);

}  // namespace nimes::gateway::revocation
