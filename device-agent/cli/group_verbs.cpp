// Verbs of groups.
#include "cli/verb_parts.hpp"

namespace nimes::agent::cli {
namespace {

CLI::App* of_group(CLI::App& group, CommandLine& line, const Shared& r, const char* word, const char* name,
                   const char* help, const std::function<void(Json&)>& more) {
    auto* out = verb(group, line, word, name, help, [r, more] {
        Json a{{"group", r->group}, {"wait_ms", r->wait_s * 1'000}};
        more(a);
        return a;
    });
    out->add_option("GROUP", r->group, "Its title, or its id")->required();
    add_wait(*out, r, "Seconds to wait for the gateway's word");
    return out;
}

void add_create(CLI::App& group, CommandLine& line, const Shared& r) {
    auto* create = verb(group, line, "create", "group.create", "Make a group; you become its administrator", [r] {
        return Json{{"title", r->title},
                    {"with", r->with},
                    {"role", r->announce ? "reader" : "poster"},
                    {"wait_ms", r->wait_s * 1'000}};
    });
    create->add_option("--title", r->title, "Its name, for all members")->required();
    create->add_option("--with", r->with, "A member; repeat it")->required();
    create->add_flag("--announce", r->announce, "The others only read: for announcements");
    add_wait(*create, r, "Seconds to wait for the gateway's word");
    create->footer(
        "Example:\n  nimes-agent group create --title 'Streife Nord' --with 'Meyer, Celle' --with "
        "c.otto@polizei.example");
}

void add_members(CLI::App& group, CommandLine& line, const Shared& r) {
    const auto who = [r](Json& a) {
        a["who"] = r->who;
        a["role"] = r->role;
    };
    auto* add = of_group(group, line, r, "add", "group.add", "Add people; they see what is said from now on", who);
    add->add_option("WHO", r->who, "'Meyer, Celle' or an address; several")->required();
    add->add_option("--role", r->role, "reader, poster or administrator")
        ->check(CLI::IsMember({"reader", "poster", "administrator"}));
    add->footer("Example:\n  nimes-agent group add 'Streife Nord' 'Schulz, Celle'");
    auto* remove =
        of_group(group, line, r, "remove", "group.remove", "Remove people; what is said next they cannot open", who);
    remove->add_option("WHO", r->who, "'Meyer, Celle' or an address; several")->required();
    remove->footer("Example:\n  nimes-agent group remove 'Streife Nord' b.meyer@polizei.example");
    auto* role = of_group(group, line, r, "role", "group.role", "Say what somebody may do", who);
    role->add_option("WHO", r->who, "'Meyer, Celle' or an address; several")->required();
    role->add_option("--role", r->role, "reader, poster or administrator")
        ->required()
        ->check(CLI::IsMember({"reader", "poster", "administrator"}));
    role->footer("Example:\n  nimes-agent group role 'Streife Nord' 'Meyer, Celle' --role administrator");
}

}  // namespace

void add_groups(CLI::App& app, CommandLine& line, const Shared& r) {
    const auto nothing = [](Json&) {};
    auto* group = app.add_subcommand("group", "Groups")->require_subcommand(1);
    group->footer(
        "Examples:\n  nimes-agent group list\n  nimes-agent group create --title 'Streife Nord' --with 'Meyer, Celle'");
    add_create(*group, line, r);
    add_members(*group, line, r);
    of_group(*group, line, r, "show", "group.show", "Members and roles", nothing);
    of_group(*group, line, r, "leave", "group.leave", "Leave it", nothing);
    of_group(*group, line, r, "close", "group.close", "Close it for good: nothing more is said in it", nothing);
    of_group(*group, line, r, "mend", "group.mend", "End a fork: go on with those who are in both rosters", nothing);
    auto* confirm =
        of_group(*group, line, r, "confirm", "group.confirm",
                 "Vouch for changes that were made on a device revoked since", [r](Json& a) { a["seen"] = r->state; });
    confirm->add_option("STATE", r->state, "What nimes-agent group show printed: so only what you saw counts");
    confirm->footer(
        "An administrator does that, who looked at the members that show lists apart.\n"
        "A group that this handset does not know without these changes goes by the id in the alarm.\n"
        "Without STATE, where nothing waits on this handset: says the members once more, for others may not know "
        "them.\n"
        "Example:\n  nimes-agent group show 'Streife Nord'\n  nimes-agent group confirm 'Streife Nord' 5f0c…");
    auto* set = of_group(*group, line, r, "set", "group.set", "Its title, and how long messages live", [r](Json& a) {
        if (r->title.empty() && r->expires.empty()) throw CLI::RequiredError("--title or --expires");
        if (!r->title.empty()) a["title"] = r->title;
        if (!r->expires.empty()) a["expires_s"] = r->expires == "off" ? 0 : seconds_of("--expires", r->expires);
    });
    set->add_option("--title", r->title, "The new name");
    set->add_option("--expires", r->expires, "Messages vanish this long after they were shown: 12h, 7d; off ends it");
    set->footer(
        "Examples:\n  nimes-agent group set 'Streife Nord' --expires 1d\n"
        "For a conversation of two give the person instead of a group.");
    auto* picture = verb(*group, line, "picture", "send", "Set its picture", [r] {
        return Json{
            {"to", r->group}, {"file", absolute(r->photo)}, {"group_picture", true}, {"wait_ms", r->wait_s * 1'000}};
    });
    picture->add_option("GROUP", r->group, "Its title, or its id")->required();
    picture->add_option("FILE", r->photo, "A JPEG")->required()->check(CLI::ExistingFile);
    verb(*group, line, "list", "group.list", "Your groups", [] { return Json::object(); });
}

}  // namespace nimes::agent::cli
