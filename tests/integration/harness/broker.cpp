#include "harness/broker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
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

// The folder for memcheck's reports; nullptr: it is not wanted.
const char* valgrind() { return std::getenv("NIMES_VALGRIND"); }

}  // namespace

Broker::Broker(const PublicKey& directory_key, const PublicKey& gateway_key) {
    run({"/usr/bin/python3", NIMES_MAKE_CA, (folder_.path() / "certificates").string(), "broker"},
        folder_.path() / "ca.log");
    configure(directory_key, gateway_key);
}

// Under memcheck it is asked to end: killed, it would say nothing of leaks.
Broker::~Broker() {
    if (valgrind() != nullptr && alive()) stop();
}

std::vector<std::string> Broker::environment() const {
    const std::string runtime = NIMES_SANITIZER_RUNTIME;
    std::vector<std::string> out;
    // Mosquitto is not instrumented: the plugin's runtime must be there first, and Mosquitto's leaks are not ours.
    if (!runtime.empty()) out.emplace_back("ASAN_OPTIONS=detect_leaks=0:abort_on_error=1");
    if (clocks_) {
        out.push_back("NIMES_CLOCK=" + (folder_.path() / "clock").string());
        if (clocks_ == Clocks::wall) out.emplace_back("NIMES_CLOCK_WALL=1");
    }
    const auto preload = runtime + (clocks_ ? (runtime.empty() ? "" : ":") + std::string(NIMES_MOVED_CLOCK) : "");
    if (!preload.empty()) out.push_back("LD_PRELOAD=" + preload);
    return out;
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
    std::vector<std::string> command{"/usr/sbin/mosquitto", "-c", (folder_.path() / "mosquitto.conf").string()};
    if (const auto* reports = valgrind())
        command.insert(command.begin(),
                       {"/usr/bin/valgrind", "--tool=memcheck", "--leak-check=full", "--num-callers=30", "--xml=yes",
                        "--xml-file=" + std::string(reports) + "/%p.xml"});
    process_ = std::make_unique<Process>(command, folder_.path() / "log", environment());
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

void Broker::own_clock(Clocks which) {
    clocks_ = which;
    ahead(std::chrono::seconds(0));
}

void Broker::ahead(std::chrono::seconds by) const {
    const std::int64_t seconds = by.count();
    const int fd =
        open((folder_.path() / "clock").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);  // in place: it is mapped
    const bool written = fd >= 0 && write(fd, &seconds, sizeof seconds) == sizeof seconds;
    close(fd);
    if (!written) throw std::runtime_error("cannot write the broker's clock");
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
