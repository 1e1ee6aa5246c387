#include "cli/verbs.hpp"

#include <charconv>
#include <filesystem>
#include <iostream>
#include <map>

#include "cli/verb_parts.hpp"
#include "cli/wire.hpp"

namespace nimes::agent::cli {

std::string absolute(const std::string& path) { return path.empty() ? path : std::filesystem::absolute(path).string(); }

// No more than any request may have; one byte beyond, and it is refused as too large.
std::string text_or_input(const std::string& text) {
    if (text != "-") return text;
    std::string out(kLineLimit + 1, '\0');
    std::cin.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(std::cin.gcount()));
    return out;
}

std::uint64_t seconds_of(const std::string& option, const std::string& text) {
    static const std::map<char, std::uint64_t> units{{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
    std::uint64_t number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto unit = units.find(text.empty() ? ' ' : text.back());
    if (error != std::errc{} || at + 1 != text.data() + text.size() || unit == units.end() || number > 100'000)
        throw CLI::ValidationError(option, "a time is a number and s, m, h or d: 90s, 15m, 12h, 7d");
    return number * unit->second;
}

CLI::Option* add_wait(CLI::App& to, const Shared& r, const char* help) {
    return to.add_option("--wait", r->wait_s, help)
        ->capture_default_str()
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{86'400}));
}

CLI::App* verb(CLI::App& to, CommandLine& line, const char* words, const char* name, const char* help,
               std::function<Json()> arguments) {
    auto* sub = to.add_subcommand(words, help);
    sub->callback([&line, name, arguments = std::move(arguments)] {
        line.request.verb = name;
        line.request.arguments = arguments();
    });
    return sub;
}

namespace {

void add_enrol(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* enrol = verb(app, line, "enrol", "enrol", "Make this home a device of yours", [r] {
        return Json{{"address", r->address}, {"code", r->code}};
    });
    enrol->add_option("--provisioning", line.provisioning, "The file your administrator gave out")
        ->required()
        ->check(CLI::ExistingFile);
    enrol->add_option("ADDRESS", r->address, "Your service address; the code is mailed to it")->required();
    enrol->add_option("--code", r->code, "The code, if you have it already");
    enrol->footer(
        "Example:\n  nimes-agent enrol --provisioning handset.provisioning a.meyer@polizei.example\n"
        "A further device waits until another one of yours vouches for it (nimes-agent devices vouch);\n"
        "then repeat this command without a code.");
}

void add_people(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* people = verb(app, line, "people", "people", "Find people by the beginning of their name, and unit", [r] {
        return Json{{"query", r->query}};
    });
    people->add_option("QUERY", r->query, "'Meyer', 'Meyer, Celle', or an address")->required();
    people->footer("Example:\n  nimes-agent people 'Meyer, Celle'");
}

void add_reading(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* inbox = verb(app, line, "inbox", "inbox", "Show messages, fetching new ones with --wait", [r] {
        return Json{{"since", r->since}, {"wait_ms", r->wait_s * 1'000}, {"peek", r->peek}};
    });
    inbox->add_option("--since", r->since, "Only those after this number");
    inbox->add_flag("--peek", r->peek, "Tell nobody that they were read");
    add_wait(*inbox, r, "Seconds to wait for the mailbox; 0 stays offline");
    inbox->footer("Examples:\n  nimes-agent inbox\n  nimes-agent inbox --since 41 --wait 0");
    auto* watch =
        verb(app, line, "watch", "watch", "Stay connected and show messages as they come; Ctrl-C ends it", [r] {
            return Json{{"since", r->since}, {"peek", r->peek}};
        });
    watch->add_option("--since", r->since, "Begin after this number");
    watch->add_flag("--peek", r->peek, "Tell nobody that they were read");
    watch->footer("Examples:\n  nimes-agent watch\n  nimes-agent --json watch --since 41");
    auto* show =
        verb(app, line, "show", "show", "One message with all that became of it: receipts, votes, reactions", [r] {
            return Json{{"sequence", r->sequence}};
        });
    show->add_option("NUMBER", r->sequence, "As inbox and watch show it")->required();
    show->footer("Example:\n  nimes-agent show 41");
}

void add_devices(CLI::App& app, CommandLine& line, const Shared& r) {
    const auto nothing = [] { return Json::object(); };
    auto* devices = app.add_subcommand("devices", "Your own devices")->require_subcommand(0, 1);
    auto* list =
        verb(*devices, line, "list", "devices.list", "All of yours or of a person, revoked ones included", [r] {
            return r->to.empty() ? Json::object() : Json{{"person", r->to}};
        });
    list->add_option("PERSON", r->to, "Whose; yours if left out");
    list->footer("Example:\n  nimes-agent devices list 'Meyer, Gifhorn'");
    verb(*devices, line, "pending", "devices.pending", "Devices that wait for your voucher", nothing);
    auto* vouch = verb(*devices, line, "vouch", "devices.vouch",
                       "Vouch for a device of yours; compare its name on both screens", [r] {
                           return Json{{"device", r->device}};
                       });
    vouch->add_option("DEVICE", r->device, "As devices pending shows it")->required();
    vouch->footer("Example:\n  nimes-agent devices pending\n  nimes-agent devices vouch k3v…q7");
    add_device_answers(*devices, line, r);
    devices->callback([devices, &line] {
        if (devices->get_subcommands().empty()) line.request = {"", "devices.list", Json::object()};
    });
    devices->footer(
        "Without a further word it lists them. Examples:\n  nimes-agent devices\n  nimes-agent devices pending");
}

void add_tools(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* token = verb(app, line, "token", "token", "A connection token, for trying the API by hand", [r] {
        return Json{{"audience", r->audience}};
    });
    token->add_option("--audience", r->audience, "https://host:port or mqtts://host:port; the gateway if left out");
    token->footer(
        "For the gateway it is good for ten minutes, as often as you like; for a broker for one connection,\n"
        "within two minutes. Examples:\n  nimes-agent token\n  nimes-agent token --audience "
        "mqtts://broker.example:8883");
    auto* status = verb(app, line, "status", "status", "Who this device is, and whether it is connected",
                        [] { return Json::object(); });
    status->footer("Examples:\n  nimes-agent status\n  nimes-agent --json status");
    auto* lock = verb(app, line, "lock", "lock", "Lock this home now; the next command with the passphrase opens it",
                      [] { return Json::object(); });
    lock->footer("It wants no passphrase. Example:\n  nimes-agent lock");
}

}  // namespace

void add_verbs(CLI::App& app, CommandLine& line) {
    const auto r = std::make_shared<Read>();
    app.add_option("--home", line.home, "Folder of this device")->capture_default_str();
    app.add_flag("--json", line.json, "One JSON object a line (device-agent/cli/VERBS.md)");
    app.add_option("--passphrase-fd", line.passphrase_fd,
                   "Read the passphrase from this descriptor instead of the terminal");
    app.add_flag("--no-input", line.no_input, "Ask nothing: what is missing is an error");
    app.require_subcommand(1)->fallthrough();  // --json may stand behind the verb, too
    add_enrol(app, line, r);
    add_people(app, line, r);
    add_saying(app, line, r);
    add_groups(app, line, r);
    add_reading(app, line, r);
    add_media(app, line, r);
    add_devices(app, line, r);
    add_history(app, line, r);
    add_trust(app, line, r);
    add_health(app, line, r);
    add_audit(app, line, r);
    add_tools(app, line, r);
    app.footer(
        "First:\n  nimes-agent enrol --provisioning handset.provisioning a.meyer@polizei.example\n"
        "then, in two terminals:\n  nimes-agent watch\n  nimes-agent send --to 'Meyer, Celle' 'Bin vor Ort'\n"
        "`nimes-agent VERB --help` tells more.");
}

}  // namespace nimes::agent::cli
