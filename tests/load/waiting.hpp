// Fills mailboxes of a gateway that does not run, through the gateway's own mailbox room: one group of all accounts,
// and messages of the first to it, until so many entries wait. Bodies are 240-byte records that nobody can open.
//
// Threads: one. Ownership: everything outlives the call. Errors: those of the mailbox room and of the store.
#pragma once

#include "accounts.hpp"
#include "directory/directory.hpp"
#include "store/store.hpp"

namespace nimes::load {

// How many entries wait now: a multiple of the devices beside the first.
Result<std::uint64_t> fill_mailboxes(gateway::store::Store& store, const gateway::directory::Directory& directory,
                                     const std::vector<Account>& accounts, std::uint64_t entries, Millis now,
                                     RandomSource& random);

}  // namespace nimes::load
