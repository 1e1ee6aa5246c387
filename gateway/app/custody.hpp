// What of the organisation's keys a start may have to do: a key for the handsets' shares, a policy that says something
// new.
//
// Threads: one. Errors: Errc::bad_config (a key is missing), storage.
#pragma once

#include "app/config.hpp"
#include "audit/log.hpp"
#include "directory/policy_book.hpp"

namespace nimes::gateway::app {

// shares.key is made at the first start after an upgrade, and after it was renamed to be replaced; never where it is
// missing.
Result<void> need_share_key(const Config& config, directory::OrgSecrets& secrets, store::Store& store);

// Signed anew, with its entry in the audit, where the configuration says something else than handsets were told.
Result<bool> tell_policy(directory::PolicyBook& book, const Config& config, audit::Log& audit, store::Store& store);

}  // namespace nimes::gateway::app
