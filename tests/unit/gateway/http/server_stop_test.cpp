// Ends: a device is cut, the server stops, a handler hangs up.
#include <semaphore>

#include "client.hpp"

using namespace web;

namespace {

class Endless final : public BodySource {
  public:
    Result<std::size_t> read(std::span<std::uint8_t> into) override { return into.size(); }
};

}  // namespace

TEST_CASE("a revoked device's connections end, whatever they are doing; others go on") {
    Site site;
    site.router.add({Method::get, "/endless", [](Request&) {
                         return Response::stream(200, "text/plain", std::make_unique<Endless>(),
                                                 ~std::uint64_t{0} >> 1);
                     }});
    site.router.add({Method::get, "/ping", [](Request&) { return Response::empty(204); }});
    site.start();
    const auto request = [](const char* path, char letter) {
        return std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n" + Letters::header(letter) + "\r\n\r\n";
    };
    const Raw reading(site.port);
    REQUIRE(reading.send(request("/endless", 'B')));
    CHECK(!reading.some().empty());
    const Raw idle(site.port);
    REQUIRE(idle.send(request("/ping", 'B')));
    CHECK(idle.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    const Raw other(site.port);
    REQUIRE(other.send(request("/ping", 'C')));
    CHECK(other.until("\r\n\r\n").starts_with("HTTP/1.1 204"));

    site.letters.revoked = 'B';
    CHECK(site.server.cut(Letters::device_of('B')) == 2);
    while (!reading.some().empty()) {
    }  // what was under way, then the end
    CHECK(idle.rest().empty());
    REQUIRE(other.send(request("/ping", 'C')));
    CHECK(other.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    CHECK(wait_for([&] { return site.server.connections() == 1; }));
    CHECK(site.server.cut(Letters::device_of('B')) == 0);
}

TEST_CASE("a device that is cut while its request is being authorised does not get in") {
    Site site;
    std::atomic<int> calls = 0;
    std::atomic<int> served = 0;
    site.letters.on_call = [&] {
        if (++calls != 1) return;
        // the directory has said yes; before it is acted on, the device is revoked and everything of it is cut
        std::thread([&] { site.server.cut(Letters::device_of('B')); }).join();
    };
    site.router.add({Method::get, "/ping", [&](Request&) { return ++served, Response::empty(204); }});
    site.start();
    // authorise() of this request was asked before the cut, answers 'yes', and must be asked again
    fetch(site.url("/ping"), {.headers = {Letters::header('B')}});
    CHECK(calls == 2);
    CHECK(served <= 1);
}

TEST_CASE("a server that stops lets running requests end and closes idle connections") {
    Site site;
    std::binary_semaphore entered(0);
    std::binary_semaphore go_on(0);
    site.router.add({Method::get, "/long",
                     [&](Request&) {
                         entered.release();
                         go_on.acquire();
                         return Response::text(200, "text/plain", "done");
                     },
                     Access::open});
    site.router.add({Method::get, "/ping", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    const Raw idle(site.port);
    REQUIRE(idle.send("GET /ping HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(idle.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    const Raw running(site.port);
    REQUIRE(running.send("GET /long HTTP/1.1\r\nHost: h\r\n\r\n"));
    entered.acquire();

    std::thread stopping([&] { site.server.stop(); });
    CHECK(idle.rest().empty());
    go_on.release();
    const auto answer = running.rest();
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(answer.ends_with("done"));
    stopping.join();
    CHECK(fetch(site.url("/ping")).result != CURLE_OK);
    site.server.stop();  // again: nothing
}

TEST_CASE("stopping does not wait for ever for a client that reads nothing") {
    ServerOptions options;
    options.stop_grace = milliseconds(200);
    Site site(options);
    site.router.add({Method::get, "/endless",
                     [](Request&) {
                         return Response::stream(200, "text/plain", std::make_unique<Endless>(),
                                                 ~std::uint64_t{0} >> 1);
                     },
                     Access::open});
    site.start();
    const Raw raw(site.port);
    REQUIRE(raw.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!raw.some().empty());
    site.server.stop();
    CHECK(site.server.connections() == 0);
}

TEST_CASE("a handler can hang up on a connection later, also when it is gone") {
    Site site;
    std::function<void()> hang_up;
    site.router.add({Method::get, "/ping",
                     [&](Request& request) {
                         hang_up = request.hang_up;
                         return Response::empty(204);
                     },
                     Access::open});
    site.start();
    const Raw raw(site.port);
    REQUIRE(raw.send("GET /ping HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(raw.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    hang_up();
    CHECK(raw.rest().empty());
    REQUIRE(wait_for([&] { return site.server.connections() == 0; }));
    hang_up();
}

TEST_CASE("a port that is taken, an address that is none, a second start") {
    Router router;
    Server server;
    const auto port = server.listen({}, router).value();
    Listen again;
    again.port = port;
    CHECK(server.listen(again, router).error().code == Errc::unavailable);
    again.address = "localhost";
    CHECK(server.listen(again, router).error().code == Errc::bad_config);
    REQUIRE(server.start());
    CHECK(!server.start());
}
