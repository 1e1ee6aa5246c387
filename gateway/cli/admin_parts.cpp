#include "cli/admin_parts.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iostream>

#include "app/config.hpp"

namespace nimes::gateway::cli {

Result<AdminClient> Admin::client() const {
    std::string token;
    if (!token_file.empty()) {
        auto read = read_token(token_file);
        if (!read) return pass(read);
        token = std::move(*read);
    }
    if (!socket.empty()) return AdminClient(socket, std::move(token));
    auto loaded = app::load_config(config);
    if (!loaded) return pass(loaded);
    return AdminClient(loaded->admin.socket, std::move(token));
}

Result<std::string> read_token(const std::string& path) {
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0) return fail(Errc::usage, "cannot read the token's file " + path);
    if ((is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(Errc::usage, "others may open the token's file " + path + ": chmod 600 it");
    std::string token;
    if (std::ifstream in(path); !(in >> token)) return fail(Errc::usage, "no token in " + path);
    return token;
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
