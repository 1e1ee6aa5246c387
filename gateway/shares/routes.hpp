// GET and PUT /v1/share, POST /v1/farewell (schemas/openapi.yaml). Pure glue; the router must not outlive the parts.
#pragma once

#include "http/router.hpp"
#include "shares/shares.hpp"
#include "shares/wipes.hpp"

namespace nimes::gateway::shares {

struct Parts {
    Shares& shares;
    WipeOrders& wipes;
    const Devices& devices;
    Gate& gate;
};

void add_routes(http::Router& router, const Parts& parts);

}  // namespace nimes::gateway::shares
