#include "admin/routes.hpp"

#include "admin/route_parts.hpp"

namespace nimes::gateway::admin {

void add_routes(rights::Door& door, const Administration& a) {
    add_people_routes(door, a);
    add_device_routes(door, a);
    add_audit_routes(door, a);
    add_group_routes(door, a);
    add_administrator_routes(door, a);
}

}  // namespace nimes::gateway::admin
