#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "app/gateway.hpp"
#include "cli/admin_client.hpp"
#include "cli/verbs.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::cli {
namespace {

struct Server {
    std::string config = "gateway.toml";
    std::string folder, organisation, out;
};
using Shared = std::shared_ptr<Server>;

Result<void> init(const Server& s) {
    if (auto ok = app::initialise(s.folder, s.organisation); !ok) return ok;
    std::cout << "made " << s.folder << ": keys/, gateway.toml, store/\n"
              << "next: edit " << s.folder << "/gateway.toml, then\n"
              << "  nimes-gateway check-config --config " << s.folder << "/gateway.toml\n"
              << "  nimes-gateway provision --config " << s.folder << "/gateway.toml --out handset.provisioning\n"
              << "  nimes-gateway run --config " << s.folder << "/gateway.toml\n";
    return {};
}

Result<void> run(const Server& s) {
    const auto config = app::load_config(s.config);
    if (!config) return fail(config.error().code, config.error().detail);
    app::Gateway::block_signals();
    auto gateway = app::Gateway::open(*config);
    if (!gateway) return pass(gateway);
    return (*gateway)->run();
}

Result<void> check_config(const Server& s) {
    const auto config = app::load_config(s.config);
    if (!config) return fail(config.error().code, config.error().detail);
    for (const auto& path : {config->http.certificate, config->http.key, config->http.ca, config->broker.ca})
        if (!std::ifstream(path)) return fail(Errc::bad_config, "cannot read " + path.string());
    std::cout << s.config << ": all right\n";
    return {};
}

// From the gateway that runs, or else from its store.
Result<Bytes> provisioning(const app::Config& config) {
    AdminClient client(config.admin.socket);
    if (auto answer = client.get("/v1/admin/provisioning"); answer) return from_hex(answer->value("file", ""));
    else if (answer.error().code != Errc::unavailable) return pass(answer);
    auto gateway = app::Gateway::open(config);
    if (!gateway) return pass(gateway);
    return (*gateway)->provisioning();
}

Result<void> provision(const Server& s) {
    const auto config = app::load_config(s.config);
    if (!config) return fail(config.error().code, config.error().detail);
    const auto file = provisioning(*config);
    if (!file) return fail(file.error().code, file.error().detail);
    std::ofstream out(s.out, std::ios::binary);
    out.write(reinterpret_cast<const char*>(file->data()), static_cast<std::streamsize>(file->size()));
    if (!out.flush()) return fail(Errc::usage, "cannot write " + s.out);
    std::cout << "wrote " << s.out << " (" << file->size() << " bytes); a handset enrols with it:\n"
              << "  nimes-agent enrol --provisioning " << s.out << " NAME@DOMAIN\n";
    return {};
}

// Asks the running gateway over its socket: answers when it serves.
Result<void> health(const Server& s) {
    const auto config = app::load_config(s.config);
    if (!config) return fail(config.error().code, config.error().detail);
    AdminClient client(config->admin.socket);
    const auto answer = client.get("/v1/admin/health");
    if (!answer) return fail(answer.error().code, answer.error().detail);
    std::cout << answer->value("checks", "");
    if (!answer->value("ready", false)) return fail(Errc::unavailable, "not ready");
    return {};
}

CLI::App* verb(CLI::App& to, const Shared& s, Chosen& chosen, const char* name, const char* help,
               Result<void> (*act)(const Server&)) {
    auto* sub = to.add_subcommand(name, help);
    sub->callback([s, &chosen, act] { chosen.run = [s, act] { return act(*s); }; });
    return sub;
}

}  // namespace

void add_server_verbs(CLI::App& app, Chosen& chosen) {
    const auto s = std::make_shared<Server>();
    auto* make = verb(app, s, chosen, "init", "Make keys, a commented gateway.toml and an empty store", init);
    make->add_option("--dir", s->folder, "Folder to make them in")->required();
    make->add_option("--organisation", s->organisation, "Id that every signature will name; it cannot be changed later")
        ->required();
    const auto with_config = [&](CLI::App* sub) {
        sub->add_option("--config", s->config, "gateway.toml")->capture_default_str();
        return sub;
    };
    with_config(verb(app, s, chosen, "run", "Serve until SIGTERM; SIGHUP reads certificates again", run));
    with_config(verb(app, s, chosen, "check-config", "Say what is wrong with gateway.toml, all at once", check_config));
    with_config(verb(app, s, chosen, "provision", "Write the handsets' provisioning file", provision))
        ->add_option("--out", s->out, "File to write; handsets enrol with it")
        ->required();
    with_config(verb(app, s, chosen, "health", "Is the running gateway ready? One line a check", health));
}

}  // namespace nimes::gateway::cli
