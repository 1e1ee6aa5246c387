// Enrolment over HTTPS (openapi.yaml). Bodies are protobuf of directory.proto.
//
// The three steps of a device that is not in yet are open; asking and vouching need a token.
#pragma once

#include "enrolment/enrolment.hpp"
#include "http/router.hpp"

namespace nimes::gateway::enrolment {

// `enrolment` must outlive the router.
void add_routes(http::Router& router, Enrolment& enrolment);

}  // namespace nimes::gateway::enrolment
