#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

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

void print_changes(const Json& changes) {
    for (const auto& c : changes) {
        std::printf("%-8s  %-36s  %s, %s, %s\n", c.value("what", "").c_str(), c.value("address", "").c_str(),
                    c.value("name", "").c_str(), c.value("rank", "").c_str(), c.value("unit", "").c_str());
        if (c.contains("before"))
            std::printf("%-8s  %-36s  %s, %s, %s\n", "  before", "", c["before"].value("name", "").c_str(),
                        c["before"].value("rank", "").c_str(), c["before"].value("unit", "").c_str());
    }
}

Result<void> import_roster(const Admin& a) {
    std::ifstream in(a.file, std::ios::binary);
    std::ostringstream csv;
    csv << in.rdbuf();
    if (!in) return fail(Errc::usage, "cannot read " + a.file);
    const auto query = "?why=" + query_escape(a.why) + (a.dry_run ? "&dry_run=1" : "") +
                       (a.suspend.empty() ? "" : "&suspend=" + query_escape(a.suspend));
    return show(
        a, [&](AdminClient& c) { return c.post_csv("/v1/admin/roster" + query, csv.str()); },
        [&](const Json& answer) {
            if (a.dry_run) print_changes(answer["changes"]);
            const auto n = [&](const char* name) { return std::to_string(answer.value(name, 0)); };
            print_line(n("people") + " people: " + n("added") + (a.dry_run ? " would be added, " : " added, ") +
                       n("changed") + " changed, " + n("unchanged") + " unchanged; " + n("suspended") + " of " +
                       n("of") + " not on the roster any more" + (a.dry_run ? ", to be suspended" : ", suspended"));
            for (const auto& kept : answer["kept"])
                print_line(kept.get<std::string>() + " is an owner, and stays as before: owners are no import's");
            if (answer.value("shut_out", 0) > 0)
                print_line(n("shut_out") + " on the roster are shut out; `admin reinstate --user` lets them in again");
            if (a.dry_run && answer.value("wants_number", false))
                print_line("that many are suspended only if the import says --suspend " + n("suspended"));
            if (a.dry_run) print_line("nothing was changed");
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

Result<void> list_people(const Admin& a) {
    const auto query = a.unit.empty() ? std::string{} : "?unit=" + query_escape(a.unit);
    return show(
        a, [&](AdminClient& c) { return c.get("/v1/admin/people" + query); },
        [](const Json& answer) {
            for (const auto& p : answer)
                std::printf("%-36s  %-24s  %-6s  %-16s %s%s\n", p.value("address", "").c_str(),
                            p.value("name", "").c_str(), p.value("rank", "").c_str(), p.value("unit", "").c_str(),
                            p.value("shut_out", false) ? " shut out" : "", p.value("owner", false) ? " owner" : "");
            if (answer.empty()) print_line("nobody");
        });
}

Result<void> list_waiting(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/approvals"); },
        [](const Json& answer) {
            for (const auto& d : answer)
                std::printf("%-26s  %-24s  %s%s\n", d.value("device", "").c_str(), d.value("name", "").c_str(),
                            d.value("address", "").c_str(),
                            d.value("shut_out", false) ? "  (shut out: reinstate the person first)" : "");
            if (answer.empty()) print_line("no device waits for an approval");
        });
}

Result<void> approve(const Admin& a) {
    return show(
        a,
        [&](AdminClient& c) {
            return c.post("/v1/admin/devices/" + a.device + "/approve", {{"why", a.why}});
        },
        [&](const Json& answer) { print_line(a.device + " is " + answer.value("state", "") + " now"); });
}

Result<void> show_policy(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/policy"); },
        [](const Json& policy) {
            for (const auto& [name, value] : policy.items())
                std::printf("%-24s %s\n", name.c_str(), value.dump().c_str());
        });
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

Result<void> show_wipe(const Admin& a) {
    return show(
        a, [&](AdminClient& c) { return c.get("/v1/admin/devices/" + a.device + "/wipe"); }, print_wipe);
}

}  // namespace

void add_admin_verbs(CLI::App& app, Chosen& chosen) {
    const auto a = std::make_shared<Admin>();
    auto* admin = app.add_subcommand("admin", "Administer a running gateway over its Unix socket");
    admin->require_subcommand(1);
    admin->fallthrough();
    admin->add_option("--config", a->config, "gateway.toml, which names the socket")->capture_default_str();
    admin->add_option("--socket", a->socket, "The gateway's socket, for who cannot read gateway.toml");
    admin
        ->add_option("--as-token-file", a->token_file,
                     "Be the administrator whose token is in this file (mode 0600), with the rights of that role")
        ->envname("NIMES_ADMIN_TOKEN_FILE");
    admin->add_flag("--json", a->json, "Print JSON");
    admin->add_option("--why", a->why, "Why you do it, in your own words; it stands in the audit");
    admin->footer(
        "Examples:\n  nimes-gateway admin org create --name 'Polizei Niedersachsen' --domain polizei.example\n"
        "  nimes-gateway admin roster import roster.csv --dry-run\n"
        "  nimes-gateway admin devices list --user a.meyer@polizei.example\n"
        "  nimes-gateway admin revoke DEVICE --reason stolen --watch\n"
        "  nimes-gateway admin administrators add anna --address a.meyer@polizei.example --role owner --out "
        "anna.token\n"
        "Without a token, root and the gateway's own user may do everything; that is for the first owners and for the\n"
        "night in which nobody else can.");

    verb(*admin, a, chosen, "policy", "What handsets are told that they may do, and since when; gateway.toml says it",
         show_policy);

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
    import->add_flag("--dry-run", a->dry_run, "Check every line, show what would change, change nothing");
    import->add_option("--suspend", a->suspend, "How many people leave with it: said where it is more than 20, or 2 %");
    import->footer(
        "The file is the whole roster: who does not stand on it any more is suspended, with all devices, until "
        "somebody\n"
        "reinstates them. One wrong line refuses the whole file, and every wrong line is named.");

    verb(*admin, a, chosen, "people", "Who stands on the roster, as far as you may see", list_people)
        ->add_option("--unit", a->unit, "Of one unit");
    auto* devices = admin->add_subcommand("devices", "Enrolled devices")->require_subcommand(1)->fallthrough();
    verb(*devices, a, chosen, "list", "List devices", list_devices)->add_option("--user", a->user, "Of one address");
    verb(*devices, a, chosen, "waiting", "List devices that wait for your approval: their people have lost all others",
         list_waiting);
    verb(*devices, a, chosen, "wipe", "What became of the order to wipe a lost or stolen device", show_wipe)
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();
    verb(*devices, a, chosen, "approve", "Approve a device, once you know that its person holds it", approve)
        ->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it")
        ->required();

    add_revocation_verbs(*admin, a, chosen);
    add_administrator_verbs(*admin, a, chosen);
    add_audit_verbs(*admin, a, chosen);
    add_group_verbs(*admin, a, chosen);
}

}  // namespace nimes::gateway::cli
