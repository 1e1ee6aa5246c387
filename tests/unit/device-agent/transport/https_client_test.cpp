#include "transport/https_client.hpp"

#include <catch2/catch.hpp>

#include "http_peer.hpp"

namespace nimes::agent::transport {
namespace {

using namespace nimes::test;

TokenSource counting(int& count) {
    return [&count](std::string_view audience) -> Result<std::string> {
        return std::string(audience) + "#" + std::to_string(++count);
    };
}

struct Client {
    int tokens = 0;
    HttpsClient http;

    explicit Client(const std::string& url, HttpsOptions options = {})
        : http(
              [&] {
                  options.base_url = url;
                  options.ca_pem = text_of(authority().ca);
                  return options;
              }(),
              counting(tokens)) {}
};

// Answers each request by what the function says; the raw bytes of an answer.
TlsServer answering(std::function<std::string(const HttpRequest&)> answer) {
    return TlsServer([answer](Stream& stream, int) {
        HttpPeer peer(stream);
        while (const auto request = peer.whole())
            if (!peer.raw(answer(*request))) return;
    });
}

std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Errc code_of(const Result<HttpsAnswer>& result) {
    REQUIRE(!result);
    return result.error().code;
}

TEST_CASE("a request carries its body and a fresh token for this gateway; the connection is kept") {
    std::mutex mutex;
    std::vector<HttpRequest> seen;
    auto server = answering([&](const HttpRequest& request) {
        const std::lock_guard lock(mutex);
        seen.push_back(request);
        return ok("answer");
    });
    Client client(server.https());
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.http.post_protobuf("/v1/x?y=z", as_bytes("question"));
        REQUIRE(answer);
        CHECK(answer->status == 200);
        CHECK(as_text(answer->body) == "answer");
    }
    REQUIRE(client.http.get("/v1/open", false));
    CHECK(server.connections() == 1);
    const std::lock_guard lock(mutex);
    REQUIRE(seen.size() == 4);
    CHECK(seen[2].method == "POST");
    CHECK(seen[2].path == "/v1/x?y=z");
    CHECK(as_text(seen[2].body) == "question");
    CHECK(seen[2].header("content-type") == "application/x-protobuf");
    CHECK(seen[2].header("authorization") == "Bearer " + server.https() + "#3");
    CHECK(seen[3].method == "GET");
    CHECK(seen[3].header("authorization").empty());
}

TEST_CASE("only a host certified by the provisioned authority is spoken to") {
    const auto handler = [](Stream& stream, int) {
        HttpPeer peer(stream);
        while (peer.whole()) peer.answer(200);
    };
    SECTION("another authority, even one the system trusts") {
        const auto& foreign = authority("foreign");
        setenv("SSL_CERT_FILE", foreign.ca.c_str(), 1);
        TlsServer server(handler, foreign);
        Client client(server.https());
        CHECK(code_of(client.http.get("/")) == Errc::offline);
        CHECK(server.connections() == 0);
        unsetenv("SSL_CERT_FILE");
    }
    SECTION("another host") {
        TlsServer server(handler, authority(), 2);
        Client client(server.at("https", "127.0.0.2"));
        CHECK(code_of(client.http.get("/")) == Errc::offline);
    }
    SECTION("no authority at all") {
        TlsServer server(handler);
        HttpsClient client({server.https(), ""}, {});
        CHECK(!client.get("/", false));
        CHECK(server.connections() == 0);
    }
    SECTION("not without TLS") {
        Client client("http://localhost:1");
        CHECK(code_of(client.http.get("/")) == Errc::bad_config);
    }
}

TEST_CASE("an answer beyond its bound is refused, whether it is announced or not") {
    HttpsOptions options;
    options.max_body = 1'000;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    SECTION("exactly the bound") {
        auto server = answering([](const HttpRequest&) { return ok(std::string(1'000, 'x')); });
        CHECK(Client(server.https(), options).http.get("/"));
    }
    SECTION("announced") {
        auto server = answering([](const HttpRequest&) { return ok(std::string(1'001, 'x')); });
        CHECK(code_of(Client(server.https(), options).http.get("/")) == Errc::too_large);
    }
    SECTION("without end") {
        TlsServer server([&](Stream& stream, int) {
            HttpPeer peer(stream);
            if (!peer.whole() || !peer.raw(chunked)) return;
            while (peer.raw("100\r\n" + std::string(256, 'x') + "\r\n")) {
            }
        });
        CHECK(code_of(Client(server.https(), options).http.get("/")) == Errc::too_large);
    }
    SECTION("in headers without end") {
        TlsServer server([&](Stream& stream, int) {
            HttpPeer peer(stream);
            if (!peer.whole() || !peer.raw("HTTP/1.1 200 OK\r\n")) return;
            while (peer.raw("X-Name: value\r\n")) {
            }
        });
        CHECK(code_of(Client(server.https(), options).http.get("/")) == Errc::too_large);
    }
    SECTION("compressed: it is not asked for and not undone") {
        std::string encoding = "unset";
        auto server = answering([&](const HttpRequest& request) {
            encoding = request.header("accept-encoding");
            return ok("x");
        });
        CHECK(Client(server.https(), options).http.get("/"));
        CHECK(encoding.empty());
    }
}

TEST_CASE("redirects are not followed") {
    std::atomic<int> elsewhere = 0;
    auto other = answering([&](const HttpRequest&) {
        ++elsewhere;
        return ok("");
    });
    auto server = answering([&](const HttpRequest&) {
        return "HTTP/1.1 302 Found\r\nLocation: " + other.https() + "/\r\nContent-Length: 0\r\n\r\n";
    });
    Client client(server.https());
    CHECK(!client.http.get("/"));
    CHECK(elsewhere == 0);
}

TEST_CASE("a refused token is tried once more, fresh, and then believed") {
    std::atomic<int> asked = 0, refusals = 1;
    auto server = answering([&](const HttpRequest&) {
        ++asked;
        return refusals-- > 0 ? std::string("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n") : ok("in");
    });
    Client client(server.https());
    CHECK(client.http.get("/"));
    CHECK(client.tokens == 2);
    refusals = 100;
    asked = 0;
    CHECK(code_of(client.http.get("/")) == Errc::token_invalid);
    CHECK(asked == 2);
}

TEST_CASE("a refusal is the row that its problem names") {
    const auto problem = [](int status, const std::string& body, const std::string& type = "application/problem+json") {
        HttpsAnswer out;
        out.status = status;
        out.headers = {{"content-type", type}};
        out.body = to_bytes(as_bytes(body));
        return error_of(out).code;
    };
    CHECK(problem(400, R"({"code":"ERR_QUOTA"})") == Errc::quota);
    CHECK(problem(403, R"({"code":"ERR_DEVICE_REVOKED","x":[1]})", "application/problem+json; charset=utf-8") ==
          Errc::device_revoked);
    // What cannot be understood leaves what the status says.
    CHECK(problem(404, R"({"code":"ERR_OF_A_NEWER_GATEWAY"})") == Errc::not_found);
    CHECK(problem(404, R"({"code":7})") == Errc::not_found);
    CHECK(problem(404, R"(["ERR_QUOTA"])") == Errc::not_found);
    CHECK(problem(404, R"({"code":"ERR_QUOTA")") == Errc::not_found);
    CHECK(problem(404, R"({"code":"ERR_QUOTA"})", "text/html") == Errc::not_found);
    CHECK(problem(429, "") == Errc::rate_limited);
    CHECK(problem(507, "") == Errc::disk_full);
    CHECK(problem(599, "") == Errc::unavailable);
    CHECK(problem(418, "") == Errc::malformed);
    CHECK(problem(404, R"({"pad":")" + std::string(100'000, 'x') + R"(","code":"ERR_QUOTA"})") == Errc::not_found);
}

TEST_CASE("what is no HTTP, and what is cut, is an error") {
    const std::string answer =
        GENERATE(as<std::string>{}, "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
                 "HTTP/1.1 two hundred\r\n\r\n", "");
    TlsServer server([&](Stream& stream, int) {
        HttpPeer peer(stream);
        if (peer.whole() && peer.raw(answer)) peer.cut();
    });
    Client client(server.https());
    CHECK(!client.http.get("/"));
}

TEST_CASE("silence ends an exchange") {
    TlsServer server([](Stream& stream, int) {
        HttpPeer peer(stream);
        if (peer.whole()) (void)peer.head();
    });
    HttpsOptions options;
    options.idle_timeout_s = 1;
    Client client(server.https(), options);
    CHECK(code_of(client.http.get("/")) == Errc::timed_out);
}

TEST_CASE("a stop ends an exchange that waits") {
    std::stop_source stop;
    TlsServer server([&](Stream& stream, int) {
        HttpPeer peer(stream);
        if (!peer.whole()) return;
        stop.request_stop();
        (void)peer.head();
    });
    HttpsOptions options;
    options.idle_timeout_s = 3'600;  // beyond the test's own limit
    Client client(server.https(), options);
    HttpsRequest request;
    request.path = "/";
    request.stop = stop.get_token();
    CHECK(code_of(client.http.exchange(request)) == Errc::busy);
    CHECK(code_of(client.http.exchange(request)) == Errc::busy);
}

TEST_CASE("nothing listens, or no token can be had: nothing is sent") {
    Client client("https://localhost:1");
    CHECK(code_of(client.http.get("/")) == Errc::offline);
    auto server = answering([](const HttpRequest&) { return ok(""); });
    HttpsOptions options;
    options.base_url = server.https();
    options.ca_pem = text_of(authority().ca);
    HttpsClient locked(options, [](std::string_view) -> Result<std::string> { return fail(Errc::locked); });
    CHECK(code_of(locked.get("/")) == Errc::locked);
    CHECK(server.connections() == 0);
}

TEST_CASE("headers are read without regard to case; numbers are plain") {
    auto server = answering([](const HttpRequest&) {
        return std::string(
            "HTTP/1.1 200 OK\r\nCONTENT-Length: 0\r\nUpload-Offset:  17 \r\nBad: 17x\r\nRetry-After: 99999\r\n\r\n");
    });
    Client client(server.https());
    const auto answer = client.http.get("/");
    REQUIRE(answer);
    CHECK(answer->number("upload-offset") == 17);
    CHECK(!answer->number("bad"));
    CHECK(!answer->number("absent"));
    CHECK(answer->retry_after_s() == 3'600);
}

}  // namespace
}  // namespace nimes::agent::transport
