// nimes-container-keys HOME --passphrase-fd N: every secret that a handset's container holds, one a line, as
// NAME<TAB>hex<TAB>DIGITS: what a search for leaks looks for. For tests; it opens a copy, so that the home may be in
// use.
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "cli/terminal.hpp"
#include "engine/agent.hpp"
#include "nimes/encoding.hpp"

using namespace nimes;
using namespace nimes::agent;

namespace {

// The database is copied with its log, as a thief with the disk would have it.
std::filesystem::path copy_of(const std::filesystem::path& home) {
    char name[] = "/tmp/nimes-keys-XXXXXX";
    const std::filesystem::path copy = ::mkdtemp(name);
    for (const char* file : {"container.db", "container.db-wal"})
        if (std::filesystem::exists(home / file)) std::filesystem::copy_file(home / file, copy / file);
    std::filesystem::copy(home / "keystore", copy / "keystore", std::filesystem::copy_options::recursive);
    return copy;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4 || std::string_view(argv[2]) != "--passphrase-fd") {
        std::cerr << "usage: nimes-container-keys HOME --passphrase-fd N\n";
        return 2;
    }
    if (!crypto_init()) return 1;
    const auto passphrase = cli::read_passphrase(std::atoi(argv[3]), false);
    if (!passphrase) return 2;
    const auto home = copy_of(argv[1]);
    SystemClock clock;
    SystemRandom random;
    int status = 1;
    if (auto lock = container::HomeLock::acquire(home)) {
        auto agent = engine::Agent::open(std::move(*lock), passphrase->view(), false, clock, random);
        const auto secrets = agent ? (*agent)->secrets_for_tests() : fail(agent.error().code);
        if (secrets) {
            for (const auto& [what, bytes] : *secrets) std::cout << what << "\thex\t" << to_hex(bytes) << '\n';
            status = 0;
        } else {
            std::cerr << "nimes-container-keys: error: " << secrets.error().text() << '\n';
        }
    }
    std::filesystem::remove_all(home);
    return status;
}
