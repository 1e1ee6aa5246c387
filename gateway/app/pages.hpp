// The few pages that belong to no room: /v1/status for handsets, /metrics and health for machines inside.
#pragma once

#include <functional>

#include "http/router.hpp"
#include "nimes/time.hpp"
#include "nimes/v1/provisioning.pb.h"
#include "operations/health.hpp"
#include "operations/metrics.hpp"
#include "rights/door.hpp"

namespace nimes::gateway::app {

void add_status(http::Router& router, const Clock& clock, std::function<std::uint32_t()> spread_ms);
// For the command line, over the administration's socket: GET /v1/admin/health, /v1/admin/provisioning,
// /v1/admin/policy.
void add_local(rights::Door& door, const operations::Health& health, std::function<Result<Bytes>()> provisioning,
               std::function<v1::SignedPolicy()> policy);
void add_operations(http::Router& router, const operations::Metrics& metrics, const operations::Health& health);

}  // namespace nimes::gateway::app
