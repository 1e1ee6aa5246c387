#include "operations/health.hpp"

namespace nimes::gateway::operations {

void Health::add(std::string name, Check check) { checks_.push_back({std::move(name), std::move(check)}); }

Page Health::livez(bool verbose) const { return {200, verbose ? "[+] process\nok\n" : "ok\n"}; }

Page Health::readyz(bool verbose) const {
    Page page;
    for (const auto& named : checks_) {
        const auto result = named.check();
        if (!result) page.status = 503;
        if (!verbose) continue;
        page.body += result ? "[+] " : "[-] ";
        page.body += named.name;
        if (!result)
            page.body.append(": ").append(result.error().row().name).append(": ").append(result.error().text());
        page.body += '\n';
    }
    page.body += page.status == 200 ? "ok\n" : "not ready\n";
    return page;
}

}  // namespace nimes::gateway::operations
