// nimes-swarm: ten thousand devices in one process (README.md of this folder).
// Exit status: 0; 1 when something was lost, shown twice, out of order or undecryptable; else the error table's.
#include <poll.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <random>

#include "knock.hpp"
#include "nimes/encoding.hpp"
#include "nimes/token.hpp"
#include "plain.hpp"

namespace {

using namespace nimes;
using namespace nimes::load;

struct Wish {
    std::string accounts, broker, workload = "pairs";
    FleetOptions fleet;
    std::size_t devices = 0;
    PairsPlan pairs;
    std::size_t messages = 5;
    Timing timing;
    PlainPlan plain;
    std::string events;
    bool until_eof = false;
    std::string users;
    std::size_t count = 1'000;
};

constexpr const char* kAbout =
    "A load client: many devices in one process, on one epoll loop.\n\n"
    "  nimes-swarm run     real devices: tokens by their own keys, Hello, outbox, acknowledgements; needs the file "
    "that\n"
    "                      nimes-load-accounts wrote, and a gateway that runs\n"
    "  nimes-swarm plain   plain MQTT 5 clients with QoS 1 against any broker: the peer of the benchmarks\n"
    "  nimes-swarm knock   clients that connect and leave, each with a handshake of its own, as fast as they are let "
    "in:\n"
    "                      as devices, by tokens (--accounts), or as users with passwords (--users)\n\n"
    "tests/load/run starts everything by itself. The result is one JSON object on standard output.";

nlohmann::json report(const Fleet& fleet, const Ledger& ledger) {
    auto by_second = nlohmann::json::array();
    for (const auto& [second, connects] : fleet.connects_by_second()) by_second.push_back({second, connects});
    return {{"counts", ledger.counts.json()},
            {"connects_by_second", by_second},
            {"still_connected", fleet.welcomed()},
            {"rejections", ledger.rejections()},
            {"failures", fleet.failures()},
            {"connect_ms", fleet.connect_time().json()},
            {"accept_ms", ledger.accept_time.json()},
            {"deliver_ms", ledger.deliver_time.json()},
            {"bytes_in", fleet.traffic().bytes_in},
            {"bytes_out", fleet.traffic().bytes_out},
            {"cpu_seconds", cpu_seconds()}};
}

// Lines "MICROSECONDS WHAT DEVICE", each written at once: another program reads them while this one runs.
Result<void> write_events(Wish& wish, std::ofstream& to) {
    if (wish.events.empty()) return {};
    to.open(wish.events, std::ios::trunc);
    if (!to) return fail(Errc::usage, "--events cannot be written");
    wish.fleet.on_change = [&to](std::string_view what, const DeviceId& device) {
        to << micros_now() << ' ' << what << ' ' << to_text(device) << std::endl;
    };
    return {};
}

bool input_has_ended() {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    return poll(&in, 1, 0) == 1;
}

Result<int> run_devices(Wish wish) {
    std::ofstream events;
    if (auto ok = write_events(wish, events); !ok) return pass(ok);
    if (wish.until_eof) wish.timing.enough = input_has_ended;
    auto accounts = read_accounts(wish.accounts);
    if (!accounts) return pass(accounts);
    if (wish.devices == 0) wish.devices = accounts->size();
    if (wish.devices > accounts->size()) return fail(Errc::usage, "the file holds fewer devices");
    accounts->resize(wish.devices);
    std::random_device seed;
    Ledger ledger(wish.devices, seed());
    Fleet fleet(*accounts, wish.fleet, ledger);
    if (auto ok = fleet.start(); !ok) return pass(ok);

    const auto began = micros_now();
    const bool all = fleet.connect_all(micros(wish.timing.patience_seconds));
    const double took = static_cast<double>(micros_now() - began) / 1e6;
    nlohmann::json out;
    out["devices"] = wish.devices;
    out["connected"] = fleet.welcomed();
    out["connect_seconds"] = took;
    out["connects_per_second"] = static_cast<double>(ledger.counts.connects) / took;
    out["tls"] = !wish.fleet.ca.empty();
    out["workload"] = wish.workload;
    std::cerr << "connected " << fleet.welcomed() << " of " << wish.devices << " devices in " << took << " s\n";
    const auto say = [&](int status) {
        out.update(report(fleet, ledger));
        std::cout << out.dump() << std::endl;
        return status;
    };
    if (!all) return say(1);
    if (wish.workload == "fanout") {
        auto times = run_fanout(fleet, ledger, wish.messages, wish.timing);
        if (!times) {
            (void)say(1);
            return pass(times);
        }
        out["fanout"] = times->json();
    } else {
        auto window = wish.workload == "idle" ? run_idle(fleet, ledger, wish.timing)
                                              : run_pairs(fleet, ledger, wish.pairs, wish.timing);
        if (!window) {
            (void)say(1);
            return pass(window);
        }
        out["window"] = window->json();
    }
    return say(ledger.counts.faultless() ? 0 : 1);
}

Result<int> run_plain(const Wish& wish) {
    nlohmann::json out;
    out["workload"] = wish.workload;
    if (wish.workload == "fanout") {
        auto times = run_plain_fanout(wish.plain, wish.messages, wish.timing);
        if (!times) return pass(times);
        out["fanout"] = times->json();
    } else {
        auto result = run_plain_pairs(wish.plain, wish.timing);
        if (!result) return pass(result);
        out["window"] = result->window.json();
        out["accept_ms"] = result->accept_time.json();
        out["deliver_ms"] = result->deliver_time.json();
    }
    std::cout << out.dump() << std::endl;
    return 0;
}

Result<int> run_knock(const Wish& wish) {
    auto credentials = Result<std::vector<Credential>>(std::vector<Credential>{});
    if (wish.accounts.empty()) {
        credentials = users_in(wish.users, wish.count);
    } else {
        auto accounts = read_accounts(wish.accounts);
        if (!accounts) return pass(accounts);
        auto audience = audience_of(wish.fleet.audience);
        if (!audience || accounts->empty()) return fail(Errc::usage, "--audience mqtts://host:port, and some account");
        credentials = tokens_of(*accounts, *audience, wish.count);
    }
    if (!credentials) return pass(credentials);
    KnockPlan plan{wish.fleet.host, wish.fleet.port, wish.fleet.ca, wish.fleet.sources, wish.fleet.handshakes};
    plan.patience_seconds = wish.timing.patience_seconds;
    auto knocks = run_knocks(plan, *credentials);
    if (!knocks) return pass(knocks);
    std::cout << knocks->json() << std::endl;
    return knocks->admitted == credentials->size() ? 0 : 1;
}

// What every verb takes: where the broker is, and how it is reached.
void add_way(CLI::App& app, Wish& wish) {
    app.add_option("--broker", wish.broker, "ADDRESS:PORT of the broker, dotted")->required();
    app.add_option("--ca", wish.fleet.ca, "PEM file that the broker's certificate hangs on; without it: no TLS");
    app.add_option("--sources", wish.fleet.sources, "connect from so many addresses 127.0.0.2 and on; 0: the kernel's")
        ->capture_default_str()
        ->check(CLI::Range(0, 200));
    app.add_option("--patience", wish.timing.patience_seconds, "seconds for connecting, and for the end")
        ->capture_default_str();
}

void add_handshakes(CLI::App& app, Wish& wish) {
    app.add_option("--handshakes", wish.fleet.handshakes, "at once; Mosquitto's backlog is 100")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000));
    app.add_option("--audience", wish.fleet.audience,
                   "plugin_opt_audience of the broker (default mqtts://ADDRESS:PORT)");
}

void add_work(CLI::App& app, Wish& wish) {
    app.add_option("--workload", wish.workload, "pairs, fanout or idle (idle: devices only)")
        ->capture_default_str()
        ->check(CLI::IsMember({"pairs", "fanout", "idle"}));
    app.add_option("--window", wish.pairs.window, "messages under way of each sender")->capture_default_str();
    app.add_option("--rate", wish.pairs.rate, "messages a second in all, instead of a window");
    app.add_option("--messages", wish.messages, "of a fan-out, one after the other")->capture_default_str();
    app.add_option("--bytes", wish.fleet.device.record_bytes, "of a message record")
        ->capture_default_str()
        ->check(CLI::Range(240, 60'000));
    app.add_option("--warm", wish.timing.warm_seconds, "seconds before it is measured")->capture_default_str();
    app.add_option("--seconds", wish.timing.seconds, "seconds that are measured")->capture_default_str();
}

Result<void> split_broker(Wish& wish) {
    const auto colon = wish.broker.rfind(':');
    unsigned long port = 0;
    if (colon != std::string::npos) port = std::strtoul(wish.broker.c_str() + colon + 1, nullptr, 10);
    if (port == 0 || port > 65'535) return fail(Errc::usage, "--broker ADDRESS:PORT");
    wish.fleet.host = wish.plain.host = wish.broker.substr(0, colon);
    wish.fleet.port = wish.plain.port = static_cast<std::uint16_t>(port);
    if (wish.fleet.audience.empty()) wish.fleet.audience = "mqtts://" + wish.broker;
    wish.plain.ca = wish.fleet.ca;
    wish.plain.sources = wish.fleet.sources;
    wish.plain.window = wish.pairs.window;
    wish.plain.rate = wish.pairs.rate;
    wish.plain.bytes = wish.fleet.device.record_bytes;
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE,
                SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL, and a broker that is killed closes ten thousand
    Wish wish;
    CLI::App app(kAbout);
    app.require_subcommand(1);
    auto* run = app.add_subcommand("run", "devices of a nimes");
    auto* plain = app.add_subcommand("plain", "plain MQTT clients");
    auto* knock = app.add_subcommand("knock", "clients that connect and leave");
    for (auto* verb : {run, plain, knock}) add_way(*verb, wish);
    for (auto* verb : {run, plain}) add_work(*verb, wish);
    for (auto* verb : {run, knock}) add_handshakes(*verb, wish);
    run->add_option("--accounts", wish.accounts, "file of nimes-load-accounts")->required();
    run->add_option("--devices", wish.devices, "so many of the file's devices (default: all)");
    run->add_option("--senders", wish.pairs.senders, "pairs: so many send, each to one partner (default: half)");
    run->add_option("--events", wish.events,
                    "a file of lines MICROSECONDS in|refused|cut|closed DEVICE (monotonic clock), written as it "
                    "happens; who was cut by an administrator, or refused, is then missed by nobody");
    run->add_flag("--until-eof", wish.until_eof, "measure until standard input ends, at most --seconds");
    run->add_flag("--sealed", wish.fleet.device.sealed,
                  "seal and sign each message, open and check each one that comes");
    plain->add_option("--pairs", wish.plain.pairs, "publishers, and as many subscribers")->capture_default_str();
    auto* devices = knock->add_option("--accounts", wish.accounts, "file of nimes-load-accounts");
    auto* users = knock->add_option("--users", wish.users, "file of lines user:password");
    devices->excludes(users);
    knock->add_option("--count", wish.count, "connects in all")->capture_default_str()->check(CLI::Range(1, 1'000'000));
    plain->add_flag("--durable", wish.plain.durable, "let the broker keep the subscribers' sessions");
    CLI11_PARSE(app, argc, argv);
    if (!crypto_init()) return 1;
    auto done = Result<int>(0);
    if (auto ok = split_broker(wish); !ok) done = pass(ok);
    else done = run->parsed() ? run_devices(wish) : knock->parsed() ? run_knock(wish) : run_plain(wish);
    if (done) return *done;
    std::cerr << "error: " << done.error().text() << "\nhint: " << done.error().row().hint << '\n';
    return done.error().row().exit;
}
