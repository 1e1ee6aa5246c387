// Groups that nobody of theirs can change any more: seen, and given an administrator.
#include <cstdio>

#include "cli/admin_parts.hpp"

namespace nimes::gateway::cli {
namespace {

void print_group(const Json& group) {
    std::printf("%s  epoch %llu%s%s\n", group.value("group", "").c_str(),
                static_cast<unsigned long long>(group.value("epoch", 0ULL)),
                group.value("closed", false) ? ", closed" : "",
                group.value("orphaned", false) ? ", no administrator has a device" : "");
    for (const auto& m : group["members"])
        std::printf("  %-13s  %-9s  %-24s  %s\n", m.value("role", "").c_str(),
                    m.value("has_device", false) ? "" : "no device", m.value("name", "").c_str(),
                    m.value("address", "").c_str());
}

Result<void> list_orphaned(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/groups/orphaned"); },
        [](const Json& answer) {
            for (const auto& group : answer) print_group(group);
            if (answer.empty()) print_line("every group has an administrator with a device");
        });
}

Result<void> show_group(const Admin& a) {
    return show(
        a, [&](AdminClient& c) { return c.get("/v1/admin/groups/" + a.group); }, print_group);
}

Result<void> appoint(const Admin& a) {
    return show(
        a,
        [&](AdminClient& c) {
            return c.post("/v1/admin/groups/" + a.group + "/administrator", {{"address", a.user}, {"why", a.why}});
        },
        [&](const Json& group) {
            print_line(a.user + " is an administrator of this group now; its members are told");
            print_group(group);
        });
}

}  // namespace

void add_group_verbs(CLI::App& admin, const Shared& a, Chosen& chosen) {
    auto* groups = admin.add_subcommand("groups", "Groups whose administrators are all gone");
    groups->require_subcommand(1)->fallthrough();
    groups->footer(
        "Titles are sealed: a group is named by its id, which `nimes-agent group show` tells a member.\n"
        "Examples:\n  nimes-gateway admin groups orphaned\n"
        "  nimes-gateway admin groups appoint 1e3266a4644c944e72c15d6eab22f11a a.meyer@polizei.example");
    verb(*groups, a, chosen, "orphaned", "List groups of which no administrator has a device left", list_orphaned);
    verb(*groups, a, chosen, "show", "The roster of a group, and who of it has a device", show_group)
        ->add_option("GROUP", a->group, "32 hex digits")
        ->required();
    auto* made = verb(*groups, a, chosen, "appoint", "Make a member of such a group its administrator", appoint);
    made->add_option("GROUP", a->group, "32 hex digits")->required();
    made->add_option("ADDRESS", a->user, "Of a member who has a device")->required();
    made->footer(
        "It gives nobody access: the appointed is a member already. The members' devices check that no\n"
        "administrator of theirs has a device left, and refuse it otherwise; each of them says what was done.");
}

}  // namespace nimes::gateway::cli
