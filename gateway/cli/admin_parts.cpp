#include "cli/admin_parts.hpp"

#include <iostream>

#include "app/config.hpp"

namespace nimes::gateway::cli {

Result<AdminClient> Admin::client() const {
    auto loaded = app::load_config(config);
    if (!loaded) return pass(loaded);
    return AdminClient(loaded->admin.socket);
}

void print_line(const std::string& text) { std::cout << text << '\n'; }

Result<void> show(const Admin& a, const std::function<Result<Json>(AdminClient&)>& ask,
                  const std::function<void(const Json&)>& human) {
    auto client = a.client();
    if (!client) return pass(client);
    auto answer = ask(*client);
    if (!answer) return pass(answer);
    if (a.json) print_line(answer->dump());
    else human(*answer);
    return {};
}

CLI::App* verb(CLI::App& to, const Shared& a, Chosen& chosen, const char* name, const char* help,
               Result<void> (*run)(const Admin&)) {
    auto* sub = to.add_subcommand(name, help);
    sub->callback([a, &chosen, run] { chosen.run = [a, run] { return run(*a); }; });
    return sub;
}

}  // namespace nimes::gateway::cli
