// Bytes that are no good request: each gets one clear answer, and the server goes on.
#include "client.hpp"

using namespace web;

namespace {

std::string status_of(const Site& site, const std::string& bytes) {
    const Raw raw(site.port);
    raw.send(bytes);
    raw.close_sending();
    const auto answer = raw.rest();
    if (answer.empty()) return "closed";
    // whoever sends nonsense may hear more than one answer, but never a good one after it
    return answer.substr(9, 3);
}

}  // namespace

TEST_CASE("what is not HTTP is answered 400 and closed") {
    Site site;
    std::atomic<int> calls = 0;
    const Handler count = [&](Request&) { return ++calls, Response::empty(204); };
    site.router.add({Method::get, "/", count, Access::open}).add({Method::post, "/", count, Access::open});
    site.start();
    const std::string host = "Host: h\r\n";
    const std::string bad[] = {
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET / HTTP/1.1 \r\n" + host + "\r\n",
        "GET  / HTTP/1.1\r\n" + host + "\r\n",
        "GET / HTTP/3.0\r\n" + host + "\r\n",
        "GET / http/1.1\r\n" + host + "\r\n",
        "G\x01T / HTTP/1.1\r\n" + host + "\r\n",
        "GET /\x01 HTTP/1.1\r\n" + host + "\r\n",
        "GET http://h/ HTTP/1.1\r\n" + host + "\r\n",
        "GET /?%zz HTTP/1.1\r\n" + host + "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + host + "\r\n",
        "GET / HTTP/1.1\r\n" + host + "Bad Name: x\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X: a\x01b\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X: a\nb\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc\r\n0\r\n\r\n",
    };
    for (const auto& bytes : bad) {
        INFO(bytes);
        CHECK(status_of(site, bytes) == "400");
    }
    CHECK(calls == 0);
    CHECK(status_of(site, "GET / HTTP/1.1\r\n" + host) == "closed");  // never ended
    CHECK(status_of(site, "GET / HTTP/1.1\r\n" + host + "\r\n") == "204");
    CHECK(status_of(site, "GET / HTTP/1.0\r\n\r\n") == "204");
    CHECK(calls == 2);
}

TEST_CASE("a head that does not end is 431 at its limit, and its client hears it") {
    Site site;
    site.router.add({Method::get, "/", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    const std::string line = "GET / HTTP/1.1\r\nHost: h\r\n";
    CHECK(status_of(site, line + "X: " + std::string(15'000, 'x') + "\r\n\r\n") == "204");
    CHECK(status_of(site, line + "X: " + std::string(17'000, 'x') + "\r\n\r\n") == "431");
    CHECK(status_of(site, line + "X: " + std::string(1'000'000, 'x')) == "431");
    CHECK(status_of(site, "GET /" + std::string(100'000, 'x')) == "431");
    std::string many = line;
    for (int i = 0; i < 5'000; ++i) many += "X: y\r\n";
    CHECK(status_of(site, many + "\r\n") == "431");
}

TEST_CASE("a chunk's head that does not end is not kept without end") {
    Site site;
    site.router.add({Method::post, "/", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(status_of(site, head + "5;" + std::string(1'000'000, 'x')) == "400");
    CHECK(status_of(site, head + "0\r\nX: " + std::string(1'000'000, 'x')) != "204");
    CHECK(status_of(site, head + "0\r\n\r\n") == "204");
}

TEST_CASE("a head byte by byte is served, one that stalls is closed") {
    ServerOptions options;
    options.head_time = milliseconds(1'500);
    Site site(options);
    site.router.add({Method::get, "/", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const Raw slow(site.port);
    for (const char c : request) REQUIRE(slow.send(std::string_view(&c, 1)));
    CHECK(slow.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    const Raw stalled(site.port);
    REQUIRE(stalled.send("GET / HT"));
    CHECK(stalled.rest().empty());
    // One byte now and then does not buy time: the head as a whole has a limit.
    const Raw dripping(site.port);
    CHECK(wait_for([&] { return !dripping.send("G"); }));
}

TEST_CASE("more connections than are allowed are closed at once, and room comes back") {
    ServerOptions options;
    options.max_connections = 3;
    Site site(options);
    site.router.add({Method::get, "/", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    auto first = std::make_unique<Raw>(site.port);
    const Raw second(site.port);
    const Raw third(site.port);
    for (const auto* raw : {static_cast<const Raw*>(first.get()), &second, &third}) {
        REQUIRE(raw->send(request));
        CHECK(raw->until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    }
    const Raw fourth(site.port);
    fourth.send(request);
    CHECK(fourth.rest().empty());
    first.reset();
    REQUIRE(wait_for([&] { return site.server.connections() == 2; }));
    CHECK(fetch(site.url("/")).status == 204);
}
