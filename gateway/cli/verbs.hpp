// The verbs of nimes-gateway. Each adds itself to the command line and, when chosen, leaves in `run` what main() calls.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "nimes/error.hpp"

namespace nimes::gateway::cli {

struct Chosen {
    std::function<Result<void>()> run;
};

void add_server_verbs(CLI::App& app, Chosen& chosen);  // init, run, provision, check-config, health
void add_admin_verbs(CLI::App& app, Chosen& chosen);   // admin …

}  // namespace nimes::gateway::cli
