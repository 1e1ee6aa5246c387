// Enrolment over HTTPS (openapi.yaml): asking for a code, beginning, finishing, and vouching for a further device.
#pragma once

#include "enrolment/enrolment.hpp"
#include "http/router.hpp"

namespace nimes::gateway::enrolment {

// `enrolment` must outlive the router.
void add_routes(http::Router& router, Enrolment& enrolment);

}  // namespace nimes::gateway::enrolment
