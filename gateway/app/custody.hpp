// What of the organisation's keys a start may have to do: a key for the handsets' shares.
//
// Threads: one. Errors: Errc::bad_config (it is missing), storage.
#pragma once

#include "app/config.hpp"
#include "directory/org_keys.hpp"
#include "store/store.hpp"

namespace nimes::gateway::app {

// shares.key is made at the first start after an upgrade, and after it was renamed to be replaced; never where it is
// missing.
Result<void> need_share_key(const Config& config, directory::OrgSecrets& secrets, store::Store& store);

}  // namespace nimes::gateway::app
