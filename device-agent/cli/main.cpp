// nimes-agent: one device on the command line, with the engine behind it.
#include "cli/engine_service.hpp"
#include "cli/program.hpp"

int main(int argc, char** argv) {
    using namespace nimes;
    using namespace nimes::agent;
    const SystemClock clock;
    SystemRandom random;
    const cli::ServiceFactory open = [&](container::HomeLock lock, const cli::Passphrase& passphrase,
                                         bool create) -> Result<std::unique_ptr<cli::Service>> {
        auto agent = engine::Agent::open(std::move(lock), passphrase.view(), create, clock, random);
        if (!agent) return pass(agent);
        return std::unique_ptr<cli::Service>(std::make_unique<cli::EngineService>(std::move(*agent)));
    };
    return cli::run_program(argc, argv, open, engine::Agent::version());
}
