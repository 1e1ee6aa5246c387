// The whole of nimes-agent but the service behind it: reads the command line, runs it at the home, prints what comes.
// main() hands in the engine; tests hand in a service of their own, and so try the real program without a network.
//
// Threads: run_program() once, from main() before any other thread is made (it blocks signals). Answers the exit
// status: 0, that of the error table's row, or 130 after Ctrl-C.
#pragma once

#include "cli/service.hpp"
#include "container/home_lock.hpp"

namespace nimes::agent::cli {

// Opens a home that is locked; `create` when it may be made anew.
using ServiceFactory = std::function<Result<std::unique_ptr<Service>>(container::HomeLock lock,
                                                                      const Passphrase& passphrase, bool create)>;

// `version`: what --version says.
int run_program(int argc, char** argv, const ServiceFactory& open, const std::string& version);

}  // namespace nimes::agent::cli
