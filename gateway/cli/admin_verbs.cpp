#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "cli/admin_parts.hpp"

namespace nimes::gateway::cli {
namespace {

Result<void> create_org(const Admin& a) {
    return show(
        a,
        [&](AdminClient& c) {
            return c.post("/v1/admin/org", {{"name", a.name}, {"domain", a.domain}, {"why", a.why}});
        },
        [&](const Json&) {
            print_line("created " + a.name + "; addresses of " + a.domain + " may stand on its roster");
        });
}

Result<void> create_unit(const Admin& a) {
    return show(
        a,
        [&](AdminClient& c) {
            return c.post("/v1/admin/units", {{"name", a.name}, {"why", a.why}});
        },
        [&](const Json&) { print_line("created unit " + a.name); });
}

Result<void> import_roster(const Admin& a) {
    std::ifstream in(a.file, std::ios::binary);
    std::ostringstream csv;
    csv << in.rdbuf();
    if (!in) return fail(Errc::usage, "cannot read " + a.file);
    return show(
        a,
        [&](AdminClient& c) {
            return c.post_csv("/v1/admin/roster?why=" + query_escape(a.why) + (a.dry_run ? "&dry_run=1" : ""), csv.str());
        },
        [&](const Json& answer) {
            std::cout << answer.value("people", 0)
                      << (a.dry_run ? " people, all lines are right; nothing was changed\n" : " people: ");
            if (!a.dry_run)
                std::cout << answer.value("added", 0) << " added, " << answer.value("changed", 0) << " changed, "
                          << answer.value("unchanged", 0) << " unchanged\n";
        });
}

Result<void> list_devices(const Admin& a) {
    const auto query = a.user.empty() ? std::string{} : "?user=" + query_escape(a.user);
    return show(
        a, [&](AdminClient& c) { return c.get("/v1/admin/devices" + query); },
        [](const Json& answer) {
            for (const auto& d : answer)
                std::printf("%-26s  %-9s  %-8s  %-24s  %s\n", d.value("device", "").c_str(),
                            d.value("state", "").c_str(), d.value("role", "").c_str(), d.value("name", "").c_str(),
                            d.value("address", "").c_str());
            if (answer.empty()) print_line("no devices");
        });
}

Result<void> list_waiting(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/approvals"); },
        [](const Json& answer) {
            for (const auto& d : answer)
                std::printf("%-26s  %-24s  %s\n", d.value("device", "").c_str(), d.value("name", "").c_str(),
                            d.value("address", "").c_str());
            if (answer.empty()) print_line("no device waits for an approval");
        });
}

Result<void> change_device(const Admin& a, const std::string& verb) {
    return show(
        a, [&](AdminClient& c) { return c.post("/v1/admin/devices/" + a.device + "/" + verb, {{"why", a.why}}); },
        [&](const Json& answer) { print_line(a.device + " is " + answer.value("state", "") + " now"); });
}

void print_wipe(const Json& wipe) {
    static const std::map<std::string, const char*> words{
        {"not_ordered", "no wipe order: it is made for a revoked device that is lost or stolen"},
        {"ordered", "order issued; the device has not asked for it yet"},
        {"delivered_no_receipt", "order delivered, no receipt"},
        {"receipted", "receipted: the device says that its store is gone"},
        {"receipted_files_remain", "receipted: the keys are erased, some files remain"}};
    const auto at = words.find(wipe.value("state", ""));
    std::printf("  %-18s %s\n", "wipe", at == words.end() ? "unknown" : at->second);
}

// Each as it is done: what has not come yet is what hangs.
void print_steps(const Json& answer, std::set<std::string>& printed) {
    for (const auto& step : answer["steps"])
        if (const auto name = step.value("step", ""); step.value("done", false) && printed.insert(name).second)
            std::printf("  %-18s %s ms\n", name.c_str(), std::to_string(step.value("after_ms", 0)).c_str());
    if (answer.value("complete", false) && answer.contains("wipe")) print_wipe(answer["wipe"]);
    std::fflush(stdout);
}

Result<void> show_wipe(const Admin& a) {
    return show(
        a, [&](AdminClient& c) { return c.get("/v1/admin/devices/" + a.device + "/wipe"); }, print_wipe);
}

Result<void> watch_revocation(const Admin& a) {
    auto client = a.client();
    if (!client) return pass(client);
    std::set<std::string> printed;
    for (std::size_t seen = 0;;) {
        auto answer = client->get("/v1/admin/devices/" + a.device + "/revocation");
        if (!answer) return pass(answer);
        std::size_t done = 0;
        for (const auto& step : (*answer)["steps"]) done += step.value("done", false) ? 1 : 0;
        if (a.json && done > seen) print_line(answer->dump());
        if (!a.json) print_steps(*answer, printed);
        if (answer->value("complete", false)) return {};
        seen = done;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

Result<void> revoke(const Admin& a) {
    auto done = show(
        a,
        [&](AdminClient& c) {
            return c.post("/v1/admin/devices/" + a.device + "/revoke", {{"reason", a.reason}, {"why", a.why}});
        },
        [&](const Json&) { print_line(a.device + " is revoked, for good"); });
    if (!done || !a.watch) return done;
    return watch_revocation(a);
}

}  // namespace

void add_admin_verbs(CLI::App& app, Chosen& chosen) {
    const auto a = std::make_shared<Admin>();
    auto* admin = app.add_subcommand("admin", "Administer a running gateway over its Unix socket");
    admin->require_subcommand(1);
    admin->fallthrough();
    admin->add_option("--config", a->config, "gateway.toml, which names the socket")->capture_default_str();
    admin->add_flag("--json", a->json, "Print JSON");
    admin->add_option("--why", a->why, "Why you do it, in your own words; it stands in the audit");
    admin->footer(
        "Examples:\n  nimes-gateway admin org create --name 'Polizei Niedersachsen' --domain polizei.example\n"
        "  nimes-gateway admin roster import roster.csv --dry-run\n"
        "  nimes-gateway admin devices list --user a.meyer@polizei.example\n"
        "  nimes-gateway admin revoke DEVICE --reason stolen --watch");

    auto* org = admin->add_subcommand("org", "The organisation")->require_subcommand(1)->fallthrough();
    auto* create = verb(*org, a, chosen, "create", "Create the organisation with its mail domain", create_org);
    create->add_option("--name", a->name)->required();
    create->add_option("--domain", a->domain, "Mail domain; compared for equality, never by its end")->required();

    auto* unit = admin->add_subcommand("unit", "Units, such as stations")->require_subcommand(1)->fallthrough();
    verb(*unit, a, chosen, "create", "Create a unit", create_unit)->add_option("--name", a->name)->required();

    auto* roster = admin->add_subcommand("roster", "Who may enrol")->require_subcommand(1)->fallthrough();
    auto* import =
        verb(*roster, a, chosen, "import", "Import people from a CSV file: address,name,rank,unit", import_roster);
    import->add_option("FILE", a->file, "CSV; its first line is address,name,rank,unit")->required();
    import->add_flag("--dry-run", a->dry_run, "Check every line, change nothing");

    auto* devices = admin->add_subcommand("devices", "Enrolled devices")->require_subcommand(1)->fallthrough();
    verb(*devices, a, chosen, "list", "List devices", list_devices)->add_option("--user", a->user, "Of one address");
    verb(*devices, a, chosen, "waiting", "List devices that wait for your approval: their people have lost all others",
         list_waiting);
    verb(*devices, a, chosen, "wipe", "What became of the order to wipe a lost or stolen device", show_wipe)
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();
    verb(*devices, a, chosen, "approve", "Approve a device, once you know that its person holds it",
         [](const Admin& s) { return change_device(s, "approve"); })
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();

    verb(*admin, a, chosen, "suspend", "Keep a device out until it is resumed",
         [](const Admin& s) { return change_device(s, "suspend"); })
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();
    verb(*admin, a, chosen, "resume", "Let a suspended device in again",
         [](const Admin& s) { return change_device(s, "resume"); })
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();
    auto* out = verb(*admin, a, chosen, "revoke", "Shut a device out for good, now", revoke);
    out->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")->required();
    out->add_option("--reason", a->reason)->required()->check(CLI::IsMember({"stolen", "lost", "replaced", "left"}));
    out->add_flag("--watch", a->watch,
                  "Wait until broker, gateway, mailbox and share have obeyed; shows the wipe order");
    add_audit_verbs(*admin, a, chosen);
    add_group_verbs(*admin, a, chosen);
}

}  // namespace nimes::gateway::cli
