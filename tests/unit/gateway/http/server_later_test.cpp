// Requests that wait for another one to end: without a thread, for a limited time, and not longer than their
// connection.
#include "client.hpp"

using namespace nimes;
using namespace nimes::gateway::http;
using namespace web;

namespace {

struct Waiting {
    std::mutex mutex;
    std::vector<std::function<void()>> gos;
    std::atomic<int> went_on = 0;

    std::size_t size() {
        const std::lock_guard lock(mutex);
        return gos.size();
    }
    void go(std::size_t i) {
        std::function<void()> one;
        {
            const std::lock_guard lock(mutex);
            one = gos[i];
        }
        one();
    }
};

Site& with_gate(Site& site, Waiting& waiting, milliseconds limit, int rounds = 1) {
    const auto later = [&waiting, limit](std::function<Verdict()> next) {
        auto begin = [&waiting](std::function<void()> go) {
            const std::lock_guard lock(waiting.mutex);
            waiting.gos.push_back(std::move(go));
        };
        return std::make_unique<Later>(Later{std::move(begin), limit, std::move(next)});
    };
    std::function<Verdict()> next = [&waiting]() -> Verdict { return ++waiting.went_on, Response::empty(204); };
    for (int i = 1; i < rounds; ++i) next = [later, next]() -> Verdict { return later(next); };
    site.router.add_stream({Method::get, "/gate", [later, next](Request&) -> Verdict { return later(next); }});
    site.router.add({Method::get, "/ping", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    return site;
}

const std::string kAsk = "GET /gate HTTP/1.1\r\nHost: h\r\n" + Letters::header('B') + "\r\n\r\n";

}  // namespace

TEST_CASE("requests that wait for another one hold no worker, and go on when they are called") {
    ServerOptions options;
    options.workers = 1;
    Site site(options);
    Waiting waiting;
    with_gate(site, waiting, std::chrono::hours(1));
    std::vector<std::unique_ptr<Raw>> asked;
    for (std::size_t i = 0; i < 20; ++i) {
        asked.push_back(std::make_unique<Raw>(site.port));
        REQUIRE(asked.back()->send(kAsk));
        REQUIRE(wait_for([&] { return waiting.size() == i + 1; }));
    }
    CHECK(fetch(site.url("/ping")).status == 204);
    CHECK(waiting.went_on == 0);
    for (std::size_t i = 20; i-- > 0;) {  // in any order, from any thread, twice too
        waiting.go(i);
        waiting.go(i);
        CHECK(asked[i]->until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    }
    waiting.go(0);  // whose wait is over
    CHECK(waiting.went_on == 20);
    CHECK(fetch(site.url("/ping")).status == 204);
}

TEST_CASE("what never comes is waited for no longer than its limit; one wait may follow another") {
    Site site;
    Waiting waiting;
    with_gate(site, waiting, milliseconds(20), 3);
    const Raw raw(site.port);
    REQUIRE(raw.send(kAsk));
    CHECK(raw.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    CHECK(waiting.size() == 3);
}

TEST_CASE("a call that comes at once is not missed") {
    Site site;
    std::function<Verdict()> next = []() -> Verdict { return Response::empty(204); };
    site.router.add_stream({Method::get, "/now",
                            [next](Request&) -> Verdict {
                                return std::make_unique<Later>(
                                    Later{[](const std::function<void()>& go) { go(); }, std::chrono::hours(1), next});
                            },
                            Access::open});
    site.start();
    CHECK(fetch(site.url("/now")).status == 204);
}

TEST_CASE("revocation and the server's end reach a request that waits") {
    ServerOptions options;
    options.stop_grace = milliseconds(200);
    Site site(options);
    Waiting waiting;
    with_gate(site, waiting, std::chrono::hours(1));
    const Raw revoked(site.port), stopped(site.port);
    REQUIRE(revoked.send(kAsk));
    REQUIRE(wait_for([&] { return waiting.size() == 1; }));
    CHECK(site.server.cut(Letters::device_of('B')) == 1);
    CHECK(revoked.rest().empty());
    REQUIRE(wait_for([&] { return site.server.connections() == 1; }));
    REQUIRE(stopped.send(kAsk));
    REQUIRE(wait_for([&] { return waiting.size() == 2; }));
    site.server.stop();
    CHECK(stopped.rest().empty());
    waiting.go(0);  // nobody is there any more
    waiting.go(1);
    CHECK(waiting.went_on == 0);
}
