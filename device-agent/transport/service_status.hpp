// GET /v1/status: what the gateway tells anybody. Errors: HttpsClient's; Errc::malformed.
#pragma once

#include "nimes/time.hpp"
#include "transport/https_client.hpp"

namespace nimes::agent::transport {

struct ServiceStatus {
    Millis server = 0;  // its clock, when it answered
    Millis spread = 0;  // wait a random time up to this before the next connect
};

Result<ServiceStatus> service_status(HttpsClient& client);

}  // namespace nimes::agent::transport
