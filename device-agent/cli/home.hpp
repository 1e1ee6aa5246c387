// One process owns a home; every other one asks it through the home's socket. Which of the two this process is shows
// itself when it tries: whoever gets the lock owns.
//
// An owner answers clients while its own command runs, and after it until the last of them has gone. When an owner ends
// before it answered, the client tries again from the start with the same request id, and may become the owner itself.
// Threads: run() from one. Errors: what the verb says; Errc::busy when nobody answers for half a minute.
#pragma once

#include <filesystem>
#include <functional>

#include "cli/service.hpp"
#include "container/home_lock.hpp"

namespace nimes::agent::cli {

// Opens the home once it is locked; `create` when it may be made anew.
using OpenService =
    std::function<Result<std::unique_ptr<Service>>(container::HomeLock lock, const Passphrase& passphrase)>;

Result<Json> run_at_home(const std::filesystem::path& home, const Passphrase& passphrase, const Request& request,
                         const Emit& emit, const std::stop_token& stop, const OpenService& open);

}  // namespace nimes::agent::cli
