// GET /v1/conversations/{id}/events (openapi.yaml). Threads: the HTTP server's.
#pragma once

#include "http/router.hpp"
#include "mailbox/event_log.hpp"

namespace nimes::gateway::mailbox {

// Both must outlive the router.
void add_routes(http::Router& router, EventLog& log);

}  // namespace nimes::gateway::mailbox
