// Good requests on each kind of listener, and who may ask.
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>

#include "client.hpp"

using namespace web;

namespace {

class Folder {
  public:
    Folder() {
        auto pattern = (std::filesystem::temp_directory_path() / "nimes-http-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

void make_certificate(const Folder& folder, const std::string& name) {
    const auto base = (folder.path / name).string();
    const auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -addext subjectAltName=IP:127.0.0.1 -keyout " + base + ".key -out " + base + ".crt >/dev/null 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe): tests run one after the other
}

void add_echo(Router& router) {
    router.add({Method::post, "/echo/{name}",
                [](Request& request) {
                    std::string out(request.param("name"));
                    if (const auto* q = request.query_value("q")) out += "?" + *q;
                    out.append(":").append(as_text(request.body));
                    return Response::text(200, "text/plain", out);
                },
                Access::open});
    router.add({Method::get, "/who", [](Request& request) {
                    return Response::text(200, "text/plain",
                                          std::string(1, static_cast<char>(request.caller->device.bytes[0])));
                }});
}

}  // namespace

TEST_CASE("a request finds its handler, its answer the client, and the connection stays") {
    std::mutex mutex;
    std::condition_variable counted;
    std::vector<std::string> told;
    ServerHooks hooks;
    hooks.answered = [&](std::string_view route, std::string_view method, int status) {
        const std::lock_guard lock(mutex);
        told.push_back(std::string(method).append(" ").append(route).append(" ").append(std::to_string(status)));
        counted.notify_all();
    };
    {
        Site site({}, hooks);
        add_echo(site.router);
        site.start();
        const auto answer = fetch(site.url("/echo/a%20b?q=%3F"), {.method = "POST", .body = "hello"});
        CHECK(answer.status == 200);
        CHECK(answer.body == "a b??:hello");
        CHECK(answer.has("Content-Type: text/plain"));
        CHECK(answer.has("Cache-Control: no-store"));

        const Raw raw(site.port);
        const std::string one = "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
        REQUIRE(raw.send(one + one + one));  // pipelined
        std::string all;
        while (all.size() < 10 || all.find("x:hi", all.find("x:hi", all.find("x:hi") + 1) + 1) == std::string::npos)
            all += raw.some();
        CHECK(fetch(site.url("/nowhere")).status == 404);
        CHECK(fetch(site.url("/echo/x"), {.method = "PUT"}).status == 405);
        CHECK(fetch(site.url("/echo/x"), {.method = "BREW"}).status == 405);
        const auto all_told = [&] { return told.size() == 7; };  // the hook runs after the last byte has left
        std::unique_lock lock(mutex);
        REQUIRE(counted.wait_for(lock, std::chrono::seconds(30), all_told));
    }
    std::ranges::sort(told);  // connections run side by side
    CHECK(told == std::vector<std::string>{"GET  404", "POST /echo/{name} 200", "POST /echo/{name} 200",
                                           "POST /echo/{name} 200", "POST /echo/{name} 200", "PUT /echo/{name} 405",
                                           "other /echo/{name} 405"});
}

TEST_CASE("over TLS, with certificates that can be exchanged while it runs") {
    const Folder folder;
    make_certificate(folder, "one");
    make_certificate(folder, "two");
    const auto at = [&](const char* name) { return (folder.path / name).string(); };
    std::filesystem::copy(at("one.crt"), at("live.crt"));
    std::filesystem::copy(at("one.key"), at("live.key"));

    Router router;
    add_echo(router);
    Server server;
    Listen tls;
    tls.kind = Listen::Kind::tls;
    tls.certificate = at("live.crt");
    tls.key = at("live.key");
    const auto port = server.listen(tls, router).value();
    REQUIRE(server.start());
    const auto url = "https://127.0.0.1:" + std::to_string(port) + "/echo/tls";
    const std::string big(60'000, 'x');
    const auto answer = fetch(url, {.method = "POST", .body = big, .ca_file = at("one.crt")});
    CHECK(answer.result == CURLE_OK);
    CHECK(answer.body == "tls:" + big);
    CHECK(fetch(url, {.method = "POST", .ca_file = at("two.crt")}).result != CURLE_OK);

    using std::filesystem::copy_options;
    std::filesystem::copy(at("two.crt"), at("live.crt"), copy_options::overwrite_existing);
    CHECK(server.reload_certificates().error().code == Errc::bad_config);  // the key is still the other's
    CHECK(fetch(url, {.method = "POST", .ca_file = at("one.crt")}).status == 200);
    std::filesystem::copy(at("two.key"), at("live.key"), copy_options::overwrite_existing);
    REQUIRE(server.reload_certificates());
    CHECK(fetch(url, {.method = "POST", .ca_file = at("two.crt")}).status == 200);

    // Plain HTTP to a TLS port hears nothing and hurts nobody.
    const Raw raw(port);
    raw.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(raw.rest().find("HTTP/1.1") == std::string::npos);
    CHECK(fetch(url, {.method = "POST", .ca_file = at("two.crt")}).status == 200);

    tls.certificate = at("missing.crt");
    CHECK(server.listen(tls, router).error().code == Errc::bad_config);
}

TEST_CASE("over a Unix socket that only its owner can reach") {
    const Folder folder;
    const auto path = (folder.path / "admin.sock").string();
    Router router;
    router.add(
        {Method::get, "/peer", [](Request& r) { return Response::text(200, "text/plain", r.peer); }, Access::open});
    Listen local;
    local.kind = Listen::Kind::local;
    local.path = path;
    {
        Server server;
        REQUIRE(server.listen(local, router));
        REQUIRE(server.start());
        CHECK(fetch("http://local/peer", {.unix_socket = path}).body.starts_with("uid " + std::to_string(getuid())));
        const auto mode = std::filesystem::status(path).permissions();
        CHECK((mode & std::filesystem::perms::mask) ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
        Server second;
        CHECK(second.listen(local, router).error().code == Errc::unavailable);
        CHECK(fetch("http://local/peer", {.unix_socket = path}).body.starts_with("uid " + std::to_string(getuid())));
    }
    CHECK(!std::filesystem::exists(path));

    // A socket that a killed process left behind is replaced, another file is not.
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    ::close(dead);
    Server server;
    CHECK(server.listen(local, router));
    local.path = folder.path / "file";
    std::ofstream(local.path) << "precious";
    CHECK(server.listen(local, router).error().code == Errc::unavailable);
    CHECK(std::filesystem::file_size(local.path) == 8);
}

TEST_CASE("a route that wants a token runs for a caller only") {
    Site site;
    add_echo(site.router);
    site.start();
    CHECK(fetch(site.url("/who")).status == 401);
    CHECK(fetch(site.url("/who")).has("WWW-Authenticate: Bearer"));
    CHECK(fetch(site.url("/who"), {.headers = {"Authorization: Bearer x"}}).status == 401);
    CHECK(fetch(site.url("/who"), {.headers = {Letters::header('B')}}).body == "B");
    site.letters.revoked = 'B';
    const auto refused = fetch(site.url("/who"), {.headers = {Letters::header('B')}});
    CHECK(refused.status == 403);
    CHECK(refused.body.find("ERR_DEVICE_REVOKED") != std::string::npos);

    Router open;
    add_echo(open);
    Server nobody;
    const auto port = nobody.listen({}, open).value();
    REQUIRE(nobody.start());
    CHECK(fetch("http://127.0.0.1:" + std::to_string(port) + "/who", {.headers = {Letters::header('B')}}).status ==
          401);
}

TEST_CASE("POST may stand for PATCH and DELETE and nothing else") {
    Site site;
    for (const auto method : {Method::get, Method::post, Method::put, Method::patch, Method::del})
        site.router.add({method, "/m", [method](Request&) { return Response::text(200, "text/plain", name(method)); },
                         Access::open});
    site.start();
    const auto sent = [&](const std::string& method, const std::string& wanted) {
        return fetch(site.url("/m"), {.method = method, .headers = {"X-HTTP-Method-Override: " + wanted}}).body;
    };
    CHECK(sent("POST", "PATCH") == "PATCH");
    CHECK(sent("POST", "DELETE") == "DELETE");
    CHECK(sent("POST", "PUT") == "POST");
    CHECK(sent("POST", "nonsense") == "POST");
    CHECK(sent("GET", "DELETE") == "GET");
    CHECK(sent("PUT", "DELETE") == "PUT");
}

TEST_CASE("HEAD tells what GET would, without a body; OPTIONS tells the methods") {
    Site site;
    site.router.add(
        {Method::get, "/x", [](Request&) { return Response::text(200, "text/plain", "12345"); }, Access::open});
    site.start();
    const auto head = fetch(site.url("/x"), {.method = "HEAD"});
    CHECK(head.status == 200);
    CHECK(head.has("Content-Length: 5"));
    CHECK(head.body.empty());
    const auto options = fetch(site.url("/x"), {.method = "OPTIONS"});
    CHECK(options.status == 204);
    CHECK(options.has("Allow: OPTIONS, GET, HEAD"));
}

TEST_CASE("a handler that throws is a 500 without its words") {
    std::atomic<int> notes = 0;
    ServerHooks hooks;
    hooks.note = [&](std::string_view event, std::string_view detail) {
        if (event == "http_handler_failed" && detail == "/boom") ++notes;
    };
    Site site({}, hooks);
    site.router.add(
        {Method::get, "/boom", [](Request&) -> Response { throw std::runtime_error("secret"); }, Access::open});
    site.start();
    const auto answer = fetch(site.url("/boom"));
    CHECK(answer.status == 500);
    CHECK(answer.body.find("ERR_INTERNAL") != std::string::npos);
    CHECK(answer.body.find("secret") == std::string::npos);
    CHECK(notes == 1);
}
