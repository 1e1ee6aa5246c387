// POST /v1/wake: the asking device's endpoint, or none. Errors as answers.
#pragma once

#include "http/router.hpp"
#include "wake/address_rules.hpp"
#include "wake/endpoints.hpp"

namespace nimes::gateway::wake {

// `endpoints` nullptr: waking is off, Errc::forbidden. It must outlive the router.
void add_routes(http::Router& router, Endpoints* endpoints, Rules rules);

}  // namespace nimes::gateway::wake
