// The command line of nimes-agent as CLI11 knows it: each verb leaves a Request.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/service.hpp"

namespace nimes::agent::cli {

struct CommandLine {
    std::string home;
    bool json = false;
    bool no_input = false;
    int passphrase_fd = -1;
    std::string provisioning;         // of enrol: a path
    Request request;                  // verb and arguments
    bool to_output = false;           // the medium's bytes go to standard output, or
    std::vector<std::string> viewer;  // to this program
};

void add_verbs(CLI::App& app, CommandLine& line);

}  // namespace nimes::agent::cli
