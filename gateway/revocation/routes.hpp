// The API of revocations: JSON over the administration's socket, for the command line and for a console.
//
//   POST /v1/admin/revocations {kind, devices, users, unit, reason, why}
//   GET  /v1/admin/revocations[?before=ID]       GET  /v1/admin/revocations/{id}
//   POST /v1/admin/devices/{id}/suspend|resume   POST /v1/admin/devices/{id}/revoke {reason}
//   GET  /v1/admin/devices/{id}/revocation       the newest order on a device
// Each order is judged by the people it means, with their devices: all must be in the units of whoever gives it.
// The whole of it is in schemas/openapi-admin.yaml. Threads and ownership as rights/door.hpp says; runner and names
// must outlive the door.
#pragma once

#include "revocation/runner.hpp"
#include "rights/door.hpp"

namespace nimes::gateway::revocation {

void add_routes(rights::Door& door, Runner& runner, const Names& names);

}  // namespace nimes::gateway::revocation
