// Administrators on the command line: made, listed, taken away.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "cli/admin_parts.hpp"
#include "nimes/bytes.hpp"

namespace nimes::gateway::cli {
namespace {

// Made before the token is, so that no token is lost for want of a file; never over one that is there.
Result<int> new_secret_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return fail(Errc::usage, "cannot make " + path + ": is it there already?");
    return fd;
}

Result<void> write_secret(int fd, const std::string& path, const std::string& token) {
    const auto line = token + "\n";
    const bool whole = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    ::close(fd);
    if (!whole) return fail(Errc::usage, "cannot write " + path + ": remove the administrator and add them again");
    return {};
}

Result<void> add(const Admin& a) {
    auto client = a.client();
    if (!client) return pass(client);
    int fd = -1;
    if (!a.out.empty()) {
        auto made = new_secret_file(a.out);
        if (!made) return pass(made);
        fd = *made;
    }
    auto answer =
        client->post("/v1/admin/administrators",
                     {{"name", a.name}, {"address", a.user}, {"role", a.role}, {"units", a.units}, {"why", a.why}});
    if (!answer) {
        if (fd >= 0) {
            ::close(fd);
            ::unlink(a.out.c_str());
        }
        return pass(answer);
    }
    const auto token = answer->value("token", "");
    if (fd >= 0) {
        if (auto ok = write_secret(fd, a.out, token); !ok) return ok;
        answer->erase("token");
    }
    if (a.json) {
        print_line(answer->dump());
        return {};
    }
    print_line(a.name + " is " + a.role + " now. The token is not shown again" +
               (a.out.empty() ? ":\n  " + token : "; it is in " + a.out));
    print_line("who holds it: nimes-gateway admin --as-token-file FILE …");
    return {};
}

std::string day_of(std::uint64_t ms) {
    if (ms == 0) return "never used";
    const auto seconds = static_cast<std::time_t>(ms / 1'000);
    std::tm at{};
    char out[32] = {};
    if (gmtime_r(&seconds, &at) != nullptr) (void)std::strftime(out, sizeof out, "used %Y-%m-%d %H:%M UTC", &at);
    return out;
}

std::string joined(const Json& units) {
    std::string out;
    for (const auto& unit : units) out += (out.empty() ? "" : ", ") + unit.get<std::string>();
    return out.empty() ? "whole organisation" : out;
}

Result<void> list(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/administrators"); },
        [](const Json& answer) {
            for (const auto& one : answer)
                std::printf("%-20s  %-13s  %-24s  %-32s  %s\n", one.value("name", "").c_str(),
                            one.value("role", "").c_str(), joined(one["units"]).c_str(),
                            one.value("address", "").c_str(), day_of(one.value("last_used_ms", 0ULL)).c_str());
            if (answer.empty()) print_line("nobody yet: root and the gateway's user administrate; make two owners");
        });
}

Result<void> remove(const Admin& a) {
    return show(
        a,
        [&](AdminClient& c) {
            return c.del("/v1/admin/administrators/" + query_escape(a.name) + "?why=" + query_escape(a.why));
        },
        [&](const Json&) { print_line(a.name + " is no administrator any more; the token is worth nothing"); });
}

Result<void> self(const Admin& a) {
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/self"); },
        [](const Json& me) {
            print_line((me.value("local_root", false) ? "local root, as an " : me.value("name", "") + ", ") +
                       me.value("role", "") + ": " + joined(me["units"]));
            for (const auto& may : me["may"])
                std::printf("  %-6s %-44s %s\n", may.value("method", "").c_str(), may.value("path", "").c_str(),
                            joined(may["actions"]).c_str());
        });
}

}  // namespace

void add_administrator_verbs(CLI::App& admin, const Shared& a, Chosen& chosen) {
    auto* all = admin.add_subcommand("administrators", "Who administrates, with what role, where");
    all->require_subcommand(1)->fallthrough();
    all->footer(
        "Begin with two owners, so that neither can lock the other one's work away by losing a token; the last owner\n"
        "can be neither removed nor shut out.\n"
        "Examples:\n  nimes-gateway admin administrators add anna --address a.meyer@polizei.example --role owner --out "
        "anna.token\n"
        "  nimes-gateway admin administrators add celle --address b.berg@polizei.example --role administrator --unit "
        "Celle\n"
        "  nimes-gateway admin administrators remove celle --why 'moved to Gifhorn'");
    auto* made = verb(*all, a, chosen, "add", "Make an administrator; the token is shown once", add);
    made->add_option("NAME", a->name, "Letters, digits, dots, - and _; it stands in the audit")->required();
    made->add_option("--address", a->user, "Of the person behind it: shut out, they administrate nothing")->required();
    made->add_option("--role", a->role, "What they may do")
        ->required()
        ->check(CLI::IsMember({"owner", "administrator", "help_desk", "auditor"}));
    made->add_option("--unit", a->units, "Of this unit alone (can be repeated); the whole organisation without it");
    made->add_option("--out", a->out, "File for the token, made with mode 0600; printed without it");
    made->footer(
        "  owner          everything\n"
        "  administrator  everything but administrators and acts on owners; of a unit: import, approve, suspend,\n"
        "                 reinstate and revoke there\n"
        "  help_desk      sees people and devices, approves, suspends; reinstates nothing\n"
        "  auditor        reads the audit, orders and devices");
    verb(*all, a, chosen, "list", "List administrators, and when each was last seen", list);
    verb(*all, a, chosen, "remove", "Take somebody's rights away, at once", remove)
        ->add_option("NAME", a->name)
        ->required();
    verb(admin, a, chosen, "self", "Who you are here, and what you may do", self);
}

}  // namespace nimes::gateway::cli
