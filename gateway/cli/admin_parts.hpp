// What the verbs of `nimes-gateway admin` are made with. One thread.
#pragma once

#include <memory>

#include "cli/admin_client.hpp"
#include "cli/verbs.hpp"

namespace nimes::gateway::cli {

using Json = nlohmann::json;

// What the verbs share; lives as long as the command line.
struct Admin {
    std::string config = "gateway.toml";
    std::string socket, token_file;  // instead of what the configuration names; a file that holds a token
    bool json = false;
    std::string name, domain, file, user, device, reason, group, why, head, unit, list, suspend, role, out;
    std::vector<std::string> units;
    std::uint64_t order = 0;
    bool dry_run = false;
    bool watch = false;

    [[nodiscard]] Result<AdminClient> client() const;
};
using Shared = std::shared_ptr<Admin>;

void print_line(const std::string& text);
// Runs a request and prints its answer: JSON as it came, or what `human` makes of it.
Result<void> show(const Admin& a, const std::function<Result<Json>(AdminClient&)>& ask,
                  const std::function<void(const Json&)>& human);
CLI::App* verb(CLI::App& to, const Shared& a, Chosen& chosen, const char* name, const char* help,
               Result<void> (*run)(const Admin&));

// What a secret was written into: nobody else may read it.
Result<std::string> read_token(const std::string& path);

void add_administrator_verbs(CLI::App& admin, const Shared& a, Chosen& chosen);  // admin administrators …
void add_audit_verbs(CLI::App& admin, const Shared& a, Chosen& chosen);          // admin audit …
void add_revocation_verbs(CLI::App& admin, const Shared& a, Chosen& chosen);     // admin suspend, revoke, …
void add_group_verbs(CLI::App& admin, const Shared& a, Chosen& chosen);          // admin groups …

}  // namespace nimes::gateway::cli
