// The gateway's media room behind its own HTTP server and on its own store, without the rest: with TLS or without.
// Prints its port, serves until SIGTERM. Everybody's token is good; each letter is a device.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "http/server.hpp"
#include "media/routes.hpp"
#include "store/rocksdb_store.hpp"

using namespace nimes;
using namespace nimes::gateway;

namespace {

struct Everybody final : http::Authoriser {
    Result<http::Caller> authorise(std::string_view token) override {
        http::Caller out;
        out.device.bytes.fill(static_cast<std::uint8_t>(token[0]));
        return out;
    }
};

media::Limits limits() {
    media::Limits out;
    out.max_bytes = out.device_bytes = out.user_bytes = out.organisation_bytes = 1ull << 42;
    out.device_open = out.user_open = 1'000;
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Serves media for benchmarks; prints its port and runs until SIGTERM");
    std::filesystem::path folder;
    http::Listen listen;
    app.add_option("FOLDER", folder, "The store")->required();
    app.add_option("--certificate", listen.certificate, "PEM: serve TLS");
    app.add_option("--key", listen.key, "PEM");
    CLI11_PARSE(app, argc, argv);
    if (!listen.certificate.empty()) listen.kind = http::Listen::Kind::tls;

    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGPIPE}) sigaddset(&signals, number);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    const auto store = store::open_rocksdb(folder, {}).value();
    const SystemClock clock;
    SystemRandom random;
    const operations::Metrics metrics("bench", "bench");
    const auto media = media::MediaStore::open({*store, clock}, limits()).value();
    http::Router router;
    media::add_routes(router, {*media, metrics, random, limits().max_bytes});
    Everybody everybody;
    http::Server server({}, &everybody);
    std::cout << server.listen(listen, router).value() << std::endl;
    if (!server.start()) return 1;
    for (int number = SIGPIPE; number == SIGPIPE;) sigwait(&signals, &number);
    server.stop();
    return 0;
}
