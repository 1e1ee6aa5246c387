#include "harness/broker.hpp"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "nimes/encoding.hpp"

namespace nimes::test {
namespace {

// The example with other values behind some of its keys; a key that it does not have is a mistake of this file.
std::string filled_in(const std::string& example, std::map<std::string, std::string> values) {
    std::istringstream in(example);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto key = line.substr(0, line.find(' '));
        if (const auto at = values.find(key); at != values.end()) {
            line = key + " " + at->second;
            values.erase(at);
        }
        out += line + "\n";
    }
    if (!values.empty()) throw std::runtime_error("mosquitto.conf.example has no " + values.begin()->first);
    return out;
}

std::vector<std::string> environment() {
    const std::string runtime = NIMES_SANITIZER_RUNTIME;
    if (runtime.empty()) return {};
    // Mosquitto is not instrumented: the plugin's runtime must be there first, and Mosquitto's leaks are not ours.
    return {"LD_PRELOAD=" + runtime, "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1"};
}

}  // namespace

Broker::Broker(const PublicKey& directory_key, const PublicKey& gateway_key) {
    run({"/usr/bin/python3", NIMES_MAKE_CA, (folder_.path() / "certificates").string(), "broker"},
        folder_.path() / "ca.log");
    configure(directory_key, gateway_key);
}

void Broker::configure(const PublicKey& directory_key, const PublicKey& gateway_key) const {
    const auto& folder = folder_.path();
    auto text =
        filled_in(read_text(NIMES_PLUGIN_EXAMPLE), {
                                                       {"listener", std::to_string(port_) + " 127.0.0.1"},
                                                       {"certfile", (folder / "certificates/broker.crt").string()},
                                                       {"keyfile", (folder / "certificates/broker.key").string()},
                                                       {"sys_interval", "1"},
                                                       {"plugin", NIMES_PLUGIN},
                                                       {"plugin_opt_broker", kName},
                                                       {"plugin_opt_organisation", kOrganisation},
                                                       {"plugin_opt_directory_key", to_hex(directory_key.view())},
                                                       {"plugin_opt_gateway_key", to_hex(gateway_key.view())},
                                                       {"plugin_opt_audience", url()},
                                                       {"plugin_opt_snapshot", snapshot().string()},
                                                   });
    // Started as root it would become another user, who may not write into our folder.
    if (geteuid() == 0) text += "user root\n";
    std::ofstream(folder / "mosquitto.conf") << text;
}

void Broker::start() {
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"/usr/sbin/mosquitto", "-c", (folder_.path() / "mosquitto.conf").string()},
        folder_.path() / "log", environment());
    if (!soon([this] { return !alive() || answers(port_); }) || !alive())
        throw std::runtime_error("Mosquitto does not start: " + log());
}

void Broker::stop() {
    process_->signal(SIGTERM);
    process_->wait();
}

void Broker::crash() {
    process_->signal(SIGKILL);
    process_->wait();
}

void Broker::reload() { process_->signal(SIGHUP); }
void Broker::pause() { process_->signal(SIGSTOP); }
void Broker::resume() { process_->signal(SIGCONT); }

std::map<std::string, int> Broker::refusals() const {
    constexpr std::string_view kLine = "identity: refused since the last line:";
    std::map<std::string, int> out;
    std::istringstream in(log());
    for (std::string line; std::getline(in, line);) {
        const auto at = line.find(kLine);
        if (at == std::string::npos) continue;
        std::istringstream words(line.substr(at + kLine.size()));
        for (std::string word; words >> word;)
            if (const auto equals = word.find('='); equals != std::string::npos)
                out[word.substr(0, equals)] += std::stoi(word.substr(equals + 1));
    }
    return out;
}

}  // namespace nimes::test
