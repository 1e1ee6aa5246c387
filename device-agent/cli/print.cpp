#include "cli/print.hpp"

#include <cmath>
#include <iostream>
#include <map>

#include "cli/health_verbs.hpp"
#include "cli/history_verbs.hpp"
#include "cli/local_time.hpp"
#include "cli/print_event.hpp"
#include "cli/printable.hpp"
#include "cli/trust_verbs.hpp"

namespace nimes::agent::cli {
namespace {

void print_person(const Json& p) {
    std::cout << printable(p.value("name", "")) << ", " << printable(p.value("rank", "")) << ", "
              << printable(p.value("unit", "")) << "  <" << printable(p.value("address", "")) << ">" << trust_text(p)
              << '\n';
}

// Says so when less went than was given, and why.
void print_variant(const Json& m) {
    const auto in_mb = [](double bytes) { return std::round(bytes / 1e4) / 100; };
    if (m.value("variant", "") == "small") {
        std::cout << "sent smaller: " << in_mb(m.value("bytes", 0.0)) << " of " << in_mb(m.value("original_bytes", 0.0))
                  << " MB";
        if (m.contains("rate"))
            std::cout << ", for the network carries " << (m.value("rate", std::uint64_t{0}) + 500) / 1'000
                      << " kB/s now; --original sends all of it";
        std::cout << '\n';
    }
    if (!m.value("frame", true))
        std::cout << "no frame of the video could be shown with it: see whether ffmpeg is installed\n";
}

void print_sent(const Request& request, const Json& r) {
    const auto devices = r.value("devices", Json::array()).size();
    const auto to = request.arguments.value("to", request.arguments.value("group", ""));
    std::cout << (r.value("accepted", false) ? "sent" : "in the outbox");
    if (!to.empty()) std::cout << (r.value("accepted", false) ? " to " : " for ") << printable(to);
    std::cout << "; sealed for " << devices << (devices == 1 ? " device\n" : " devices\n");
    if (const auto stale = r.value("stale", Json::array()); !stale.empty())
        std::cout << stale.size() << " devices were offline too long and cannot open it\n";
    if (r.contains("recall")) print_recall(std::cout, r["recall"]);
    if (r.value("on_server", false))
        std::cout << "the server still has the medium: it is asked again until it is gone\n";
    if (r.contains("media") && !r["media"].value("stripped", true))
        std::cout << "the file went as it is: position and all else that its maker wrote into it were not taken out\n";
    if (r.contains("media")) print_variant(r["media"]);
}

void print_lock(const Json& lock) {
    const auto state = lock.value("state", "");
    if (state.empty()) return;
    static const std::map<std::string, const char*> words{
        {"awaits_share", "the gateway has not been reached, and its share of the key is needed"},
        {"share_missing", "the gateway keeps no share of its key"},
        {"share_wrong", "the gateway gave another share than this container needs: tell an administrator"},
        {"suspended", "suspended by an administrator"},
        {"revoked", "revoked, for good"},
        {"lease_over", "too long without a word from the gateway"},
        {"idle", "not used for a while"},
        {"asked", "locked by hand"}};
    const auto why = words.find(lock.value("why", ""));
    std::cout << "lock       " << (state == "door" ? "locked" : state);
    if (why != words.end()) std::cout << ": " << why->second;
    if (state == "open") std::cout << (lock.value("share", false) ? "" : ", without a share of the gateway");
    if (lock.contains("lease_left_ms"))
        std::cout << "; without network for another " << lock.value("lease_left_ms", std::uint64_t{0}) / 60'000
                  << " min";
    std::cout << '\n';
}

std::string owed_text(const Json& line) {
    return line.contains("owed") ? "  new chain with the next message: " + printable(line.value("owed", "")) : "";
}

}  // namespace

void print_line(const std::string& verb, const Json& line) {
    if (line.contains("candidate")) return print_person(line["candidate"]);
    if (verb == "inbox" || verb == "watch") return print_event(std::cout, line);
    if (verb == "people") return print_person(line);
    if (verb == "doctor") return print_finding(std::cout, line);
    if (verb == "history.take") return print_history_line(line);
    if (verb == "group.list")
        std::cout << printable(line.value("title", "")) << "  (" << line.value("members", 0) << ")"
                  << (line.value("closed", false) ? "  closed" : "") << owed_text(line) << '\n';
    if (verb == "devices.list") print_device(std::cout, line);
    if (verb == "devices.pending")
        std::cout << line.value("device", "") << "  waits for your voucher: nimes-agent devices vouch "
                  << line.value("device", "") << '\n';
}

void print_policy(const Json& p) {
    const auto may = [&](const char* name) { return p.value(name, false) ? "yes" : "no"; };
    std::cout << "policy     "
              << (p.contains("since_ms") ? "since " + local_time(p.value("since_ms", Millis{0}), "%F %R")
                                         : std::string("as this handset was given it"))
              << "\n           messages and media are kept " << p.value("retention_days", 0)
              << " days; without network it opens for " << p.value("offline_grace_minutes", 0) << " min"
              << (p.value("restart_without_network", false) ? ", also after a restart" : "") << "; it locks after "
              << p.value("lock_after_seconds", 0) << " s\n           export: " << may("export_allowed")
              << ", viewers: " << may("viewer_allowed") << ", history to a new device: " << may("history_allowed")
              << ", private devices: " << may("private_devices_allowed") << "\n           a further device needs "
              << (p.value("further_device", "") == "approval" ? "an administrator's approval"
                                                              : "a voucher by another one")
              << ", and others seal to it after " << p.value("device_hold_seconds", 0) << " s\n";
}

void print_result(const Request& request, const Json& r) {
    const auto& verb = request.verb;
    if (verb.starts_with("history.")) return print_history_result(request, r);
    if (r.contains("accepted")) return print_sent(request, r);
    if (verb == "doctor") return print_health(std::cout, r);
    if (verb.starts_with("wake.")) {
        std::cout << (r.value("wake", false) ? "you are woken there from now on\n" : "no more wake-ups\n");
        return;
    }
    if (verb == "show") return print_details(std::cout, r);
    if (verb == "group.show") return print_group(std::cout, r);
    if (verb.starts_with("group.") && r.contains("members") && verb != "group.create")
        std::cout << printable(r.value("title", "")) << " has " << r.value("members", 0) << " members now"
                  << (r.value("closed", false) ? ", and is closed" : "") << '\n';
    if (verb == "enrol" && r.value("state", "") == "enrolled")
        std::cout << "enrolled: device " << r.value("device", "") << '\n';
    if (verb == "group.create")
        std::cout << "made " << printable(r.value("title", "")) << " with " << r.value("members", 0) << " members\n";
    if (verb == "media.get" && r.contains("sha256"))
        std::cout << r.value("bytes", 0) << " bytes, sha256 " << r.value("sha256", "") << '\n';
    if (verb == "devices.vouch") std::cout << "vouched for " << r.value("device", "") << "; go on there\n";
    if (verb == "devices.confirm") std::cout << r.value("device", "") << " is yours: the alarm has ended\n";
    if (verb == "devices.revoke") std::cout << r.value("device", "") << " is revoked, for good\n";
    if (verb == "verify") print_verification(std::cout, r);
    if (verb == "audit") print_audit(std::cout, r);
    if (verb == "lock") std::cout << (r.value("state", "") == "door" ? "locked\n" : "it is shut: nothing is open\n");
    if (verb == "token") std::cout << r.value("token", "") << '\n';
    if (verb == "devices.pending" && r.value("count", 0) == 0) std::cout << "no device waits\n";
    if (verb == "status") {
        std::cout << (r.value("enrolled", false)       ? "enrolled for "
                      : r.value("address", "").empty() ? "not enrolled"
                                                       : "not enrolled yet: ")
                  << r.value("address", "") << '\n';
        if (r.contains("device")) std::cout << "device     " << r.value("device", "") << '\n';
        print_lock(r.value("lock", Json::object()));
        std::cout << "connected  " << (r.value("connected", false) ? "yes" : "no") << "\noutbox     "
                  << r.value("outbox", 0) << '\n';
        for (const auto& stuck : r.value("stuck", Json::array()))
            std::cout << "           " << stuck.value("items", 0) << " of it: " << stuck.value("text", "") << " ("
                      << stuck.value("code", "") << "); " << stuck.value("hint", "") << '\n';
        if (r.value("held", 0) > 0)
            std::cout << "waiting    " << r.value("held", 0)
                      << " came and cannot be opened yet; what they lack is being asked for\n";
        const auto failed = r.value("undecryptable", Json::object());
        std::uint64_t all = 0;
        for (const auto& [reason, count] : failed.items()) all += count.get<std::uint64_t>();
        if (all > 0)
            std::cout << "refused    " << all << " that could not be opened: " << failed.value("damaged", 0)
                      << " damaged, " << failed.value("unreadable", 0) << " unreadable, " << failed.value("refused", 0)
                      << " against the rules, " << failed.value("lost", 0) << " never complete\n";
        for (const auto& o : r.value("owed", Json::array()))
            std::cout << "owed       a new chain in " << printable(o.value("title", ""))
                      << " with the next message: " << printable(o.value("reason", "")) << '\n';
        for (const auto& alarm : r.value("alarms", Json::array()))
            std::cout << "ALARM      " << printable_text(alarm.value("text", "")) << '\n';
        if (r.contains("policy")) print_policy(r["policy"]);
        if (r.contains("policy_refused"))
            std::cout << "           the gateway told another one, which does not count: "
                      << printable(r.value("policy_refused", "")) << '\n';
        if (r.value("outdated", false))
            std::cout << "UPDATE     this is version " << r.value("version", "") << ", and the organisation wants "
                      << printable(r["policy"].value("minimum_agent", ""))
                      << " or newer: nothing new is said until then\n";
        if (r.contains("shut_out")) std::cout << "shut out   " << r.value("shut_out", "") << '\n';
    }
}

int print_error(const Error& error, std::string_view hint) {
    std::cout.flush();
    std::cerr << "nimes-agent: error: " << printable(error.text()) << '\n';
    if (hint.empty()) hint = error.row().hint;
    if (!hint.empty()) std::cerr << "nimes-agent: hint: " << hint << '\n';
    return error.row().exit;
}

}  // namespace nimes::agent::cli
