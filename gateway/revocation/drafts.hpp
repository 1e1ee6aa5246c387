// Reads what somebody asks for at POST /v1/admin/revocations. Pure but for the look at names.
#pragma once

#include <nlohmann/json.hpp>

#include "revocation/runner.hpp"

namespace nimes::gateway::revocation {

// Errc::malformed, usage, device_unknown, device_revoked, not_found; the detail says which of the named ones is wrong.
Result<Draft> draft_of(ByteView body, std::string who, const Names& names);

}  // namespace nimes::gateway::revocation
