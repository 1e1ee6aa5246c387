// Verbs of trust, and what they print.
#include "cli/trust_verbs.hpp"

#include "cli/printable.hpp"
#include "cli/qr.hpp"
#include "cli/verb_parts.hpp"

namespace nimes::agent::cli {
namespace {

constexpr std::size_t kGroupsInLine = 4;

const char* level_text(int level) {
    if (level >= 3) return "verified in person";
    if (level == 2) return "address proven";
    return level == 1 ? "entry proven, name and address are not" : "not looked up yet";
}

void print_number(std::ostream& out, const std::string& number) {
    std::size_t groups = 0;
    for (const char c : number) {
        if (c == ' ' && ++groups % kGroupsInLine == 0) out << '\n';
        else out << c;
    }
    out << '\n';
}

}  // namespace

void add_trust(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* verify = verb(app, line, "verify", "verify", "Make sure that a person's devices are theirs, in person", [r] {
        Json a{{"person", r->to}};
        if (!r->scanned.empty()) a["scanned"] = r->scanned;
        return a;
    });
    verify->add_option("PERSON", r->to, "Whom you meet")->required();
    verify->add_option("--scanned", r->scanned, "What their QR code says; it verifies the device that shows it");
    verify->footer(
        "Read the number to each other: it is the same on both screens, and another one as soon as either of you\n"
        "has a new device. Or scan each other's code. Examples:\n  nimes-agent verify 'Meyer, Celle'\n"
        "  nimes-agent verify 'Meyer, Celle' --scanned nimes-contact:…");
}

void add_audit(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* audit =
        verb(app, line, "audit", "audit", "Fetch the whole directory, prove it, compare it with a roster", [r] {
            return Json{{"roster", absolute(r->roster)}};
        });
    audit->add_option("--roster", r->roster, "CSV with a column address: everybody who may have a handset")
        ->check(CLI::ExistingFile);
    audit->footer(
        "Whoever is in the directory and not on the roster was invented by somebody who holds the enrolment key.\n"
        "Do it once a day. Examples:\n  nimes-agent audit\n  nimes-agent audit --roster roster.csv");
}

void print_audit(std::ostream& out, const Json& a) {
    out << "directory revision " << a.value("revision", 0) << " is proven: " << a.value("people", 0) << " people, "
        << a.value("reachable", 0) << " with a device\n";
    if (!a.contains("strangers")) return;
    const auto& strangers = a["strangers"];
    if (strangers.empty()) out << "all of them are on the roster\n";
    else out << strangers.size() << " ARE NOT ON THE ROSTER: tell an administrator\n";
    for (const auto& hash : strangers) out << "  address hash " << printable(hash.get<std::string>()) << '\n';
    out << a.value("without_devices", Json::array()).size() << " of the roster have no device\n";
}

void add_device_answers(CLI::App& devices, CommandLine& line, const Shared& r) {
    auto* confirm = verb(devices, line, "confirm", "devices.confirm", "Answer an alarm: this device is yours", [r] {
        return Json{{"device", r->device}};
    });
    confirm->add_option("DEVICE", r->device, "As the alarm names it")->required();
    confirm->footer("Example:\n  nimes-agent devices confirm k3v…q7");
    auto* revoke = verb(devices, line, "revoke", "devices.revoke",
                        "Shut a device of yours out for good: unknown, lost, or given back", [r] {
                            return Json{{"device", r->device}, {"reason", r->reason}};
                        });
    revoke->add_option("DEVICE", r->device, "As devices shows it; this one, too")->required();
    revoke->add_option("--reason", r->reason, "lost, stolen or replaced")
        ->capture_default_str()
        ->check(CLI::IsMember({"lost", "stolen", "replaced"}));
    revoke->footer(
        "It is final: the device never comes back. What a lost or stolen one says late is shown to nobody.\n"
        "Its store is wiped only when an administrator revokes it as lost or stolen.\n"
        "Example:\n  nimes-agent devices revoke k3v…q7 --reason stolen");
}

std::string trust_text(const Json& person) {
    const auto devices = person.value("new_devices", 0);
    std::string out = person.value("level", 0) >= 3 ? std::string("  ") + level_text(3) : "";
    if (devices > 0) out += "  has " + std::to_string(devices) + (devices == 1 ? " new device" : " new devices");
    return out + (devices > 0 ? ": verify again" : "");
}

void print_device(std::ostream& out, const Json& d) {
    out << printable(d.value("device", "")) << "  " << printable(d.value("state", ""))
        << (d.value("self", false) ? "  this device" : std::string("  ") + level_text(d.value("level", 0)))
        << (d.value("new", false) ? "  NEW" : "")
        << (d.value("stale", false) ? "  stale: was offline too long, nothing can be sealed to it" : "") << '\n';
}

void print_verification(std::ostream& out, const Json& v) {
    out << printable(v.value("name", "")) << ": " << level_text(v.value("level", 0)) << trust_text(v) << "\n\n";
    print_number(out, printable(v.value("safety_number", "")));
    const auto code = printable(v.value("code", ""));
    out << "\nRead it to each other. Or let them scan the code of this device:\n\n" << qr_text(code) << code << "\n\n";
    for (const auto& d : v.value("devices", Json::array())) print_device(out, d);
    if (v.contains("scanned")) out << "verified " << printable(v.value("scanned", "")) << '\n';
}

}  // namespace nimes::agent::cli
