// nimes-gateway: the command line. Verbs are in server_verbs.cpp and admin_verbs.cpp; this says how a failure looks.
#include <iostream>

#include "app/gateway.hpp"
#include "cli/verbs.hpp"
#include "nimes/crypto.hpp"

int main(int argc, char** argv) {
    using namespace nimes;
    CLI::App app("nimes-gateway: mailboxes, device directory and encrypted media of a nimes organisation");
    app.set_version_flag("--version", std::string("nimes-gateway ") + gateway::app::Gateway::version());
    app.require_subcommand(1);
    app.footer(
        "A new gateway:\n  nimes-gateway init --dir /srv/nimes --organisation polizei-nds\n"
        "  nimes-gateway run --config /srv/nimes/gateway.toml\n"
        "`nimes-gateway VERB --help` tells more.");
    gateway::cli::Chosen chosen;
    gateway::cli::add_server_verbs(app, chosen);
    gateway::cli::add_admin_verbs(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? 0 : row(Errc::usage).exit;
    }
    if (!crypto_init()) {
        std::cerr << "nimes-gateway: error: no randomness\n";
        return row(Errc::internal).exit;
    }
    const auto done = chosen.run();
    if (done) return 0;
    std::cerr << "nimes-gateway: error: " << done.error().text() << '\n';
    if (!done.error().row().hint.empty()) std::cerr << "nimes-gateway: hint: " << done.error().row().hint << '\n';
    return done.error().row().exit;
}
