#include "cli/health_verbs.hpp"

#include <sys/statvfs.h>

#include <iomanip>

#include "cli/local_time.hpp"
#include "cli/printable.hpp"
#include "cli/verb_parts.hpp"

namespace nimes::agent::cli {

void add_health(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* doctor =
        verb(app, line, "doctor", "doctor", "Why does nothing arrive? Tries everything and says what is wrong", [r] {
            return Json{{"wait_ms", r->wait_s * 1'000}};
        });
    add_wait(*doctor, r, "Seconds to wait for a connection");
    doctor->footer(
        "It says nothing of anybody, so its answer may be read out or sent on. The exit status is 0 when all is well.\n"
        "Examples:\n  nimes-agent doctor\n  nimes-agent --json doctor --wait 5");
    auto* network =
        app.add_subcommand("network", "What the operating system knows of the network")->require_subcommand(1);
    auto* changed = verb(*network, line, "changed", "network.changed",
                         "This device is on another network, or back on one: connect at once", [r] {
                             return Json{{"name", r->title}};
                         });
    changed->add_option("--name", r->title,
                        "Any name of the network, always the same; how long it bears silence is remembered by it");
    changed->footer(
        "For what watches the network. Example:\n  nimes-agent network changed --name \"$CONNECTION_UUID\"");
    auto* wake = app.add_subcommand("wake", "Being woken by a push service (UnifiedPush)")->require_subcommand(1);
    auto* reg = verb(*wake, line, "register", "wake.register",
                     "The gateway posts there, without a word, when something waits and this device is away", [r] {
                         return Json{{"url", r->to}};
                     });
    reg->add_option("URL", r->to, "The endpoint that the distributor gave, https://…")->required();
    verb(*wake, line, "off", "wake.off", "No more wake-ups", [] { return Json::object(); });
    wake->footer("Example:\n  nimes-agent wake register https://push.example/UP?token=abc");
}

void print_finding(std::ostream& out, const Json& f) {
    const auto verdict = f.value("verdict", "");
    const auto* mark = verdict == "good"   ? "  ok    "
                       : verdict == "bad"  ? "  BAD   "
                       : verdict == "note" ? "  note  "
                                           : "  ?     ";
    out << mark << std::left << std::setw(12) << printable(f.value("check", "")) << printable(f.value("what", ""));
    if (f.contains("code") && verdict == "bad") out << " [" << printable(f.value("code", "")) << "]";
    out << '\n';
    if (f.contains("next")) out << "                    -> " << printable(f.value("next", "")) << '\n';
}

void print_health(std::ostream& out, const Json& r) {
    const auto recent = r.value("recent", Json::array());
    if (!recent.empty()) out << "\nWhat happened last:\n";
    for (const auto& line : recent) {
        out << "  " << local_time(line.value("at_ms", Millis{0}), "%F %T") << "  " << printable(line.value("text", ""))
            << '\n';
    }
    out << (r.value("healthy", false) ? "\nAll is well: messages arrive.\n"
                                      : "\nSomething is wrong; begin with the first line marked BAD.\n");
}

Json home_unopened(const std::string& home, const Error& error, const Emit& emit) {
    emit({{"check", "home"},
          {"verdict", "bad"},
          {"what", "the home cannot be opened: " + error.text()},
          {"next", error.row().hint},
          {"code", error.row().name}});
    struct statvfs at {};
    if (::statvfs(home.c_str(), &at) == 0 && static_cast<std::uint64_t>(at.f_bavail) * at.f_frsize < (4u << 20))
        emit({{"check", "disk"},
              {"verdict", "bad"},
              {"what", "the disk is full"},
              {"next", "free some space; what this device holds is whole"},
              {"code", row(Errc::disk_full).name}});
    return {{"healthy", false}, {"recent", Json::array()}};
}

}  // namespace nimes::agent::cli
