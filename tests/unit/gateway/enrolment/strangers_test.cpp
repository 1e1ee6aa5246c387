// What outsiders can learn about who is on the roster: nothing from an answer, nothing from the work behind it.
#include <algorithm>
#include <sstream>

#include "../http/client.hpp"
#include "enrolment/routes.hpp"
#include "nimes/v1/directory.pb.h"
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::enrolment;
using namespace nimes::gateway::enrolment::test;

namespace {

constexpr auto kStranger = "n.iemand@polizei.example";
constexpr const char* kEverybody[] = {kAnna,
                                      "B.Meyer@POLIZEI.example",
                                      kStranger,
                                      "eve@elsewhere.example",
                                      "eve@elsewhere.example@polizei.example",
                                      "eve@polizei.example@elsewhere.example"};

Bytes decoy(World& w) {
    const auto row = w.store.get({store::Family::enrolment, "codes"}, "decoy").value();
    return row.value_or(Bytes{});
}

// Status line, headers but Date, body.
std::string seen(const web::Answer& answer) {
    std::istringstream lines(answer.headers);
    std::string out;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("Date:")) out += line + "\n";
    return out + answer.body;
}

struct Site {
    World w;
    http::Router router;
    http::Server server;
    std::string url;

    Site() {
        add_routes(router, *w.room);
        url = "http://127.0.0.1:" + std::to_string(server.listen({}, router).value());
        REQUIRE(server.start());
    }
    web::Answer post(const std::string& path, const std::string& body) const {
        return web::fetch(url + path, {.method = "POST", .body = body});
    }
    web::Answer ask(const std::string& address) const {
        v1::CodeRequest request;
        request.set_address(address);
        return post("/v1/enrol/code", request.SerializeAsString());
    }
    web::Answer begin(const std::string& address, const std::string& code) const {
        const auto key = key_pair(1).public_key;
        v1::EnrolBegin request;
        request.set_address(address);
        request.set_code(code);
        request.set_identity_key(std::string(as_text(key.view())));
        request.set_role(1);
        request.set_platform(1);
        return post("/v1/enrol/begin", request.SerializeAsString());
    }
};

}  // namespace

TEST_CASE("over HTTP, who is on the roster is answered as who is not: status, headers, body") {
    Site site;
    const auto usual = site.ask(kStranger);
    CHECK(usual.status == 202);
    CHECK(usual.has("Content-Length: 0"));
    for (const auto* address : kEverybody) CHECK(seen(site.ask(address)) == seen(usual));

    const auto code = site.w.post.code(2);  // Anna's and Bernd's are there
    const auto refused = site.begin(kStranger, "");
    CHECK(refused.status == row(Errc::code_wrong).http);
    for (const auto* address : kEverybody)
        for (int i = 0; i < 7; ++i) CHECK(seen(site.begin(address, wrong(code))) == seen(refused));
    CHECK(site.w.post.count() == 2);
}

TEST_CASE("a request is answered before the roster is read, and also when the roster does not answer at all") {
    Site site;
    {
        const std::lock_guard shut(site.w.roster.shut);
        const auto usual = site.ask(kStranger);
        CHECK(usual.status == 202);
        for (const auto* address : kEverybody) CHECK(seen(site.ask(address)) == seen(usual));
        CHECK(site.w.roster.asked <= 1);  // on enrolment's own thread, which waits
        CHECK(site.w.post.count() == 0);
    }
    site.w.post.code(2);  // and then what was asked is done
}

TEST_CASE("a request for a stranger is as much work as one for a person, and as limited") {
    World w;
    const auto ask_stranger = [&] {
        REQUIRE(w.room->request_code(kStranger, kPeer));
        w.ask(kBernd);  // behind the stranger: once this mail is there, the stranger's request is done
        return decoy(w);
    };
    const auto first = ask_stranger();
    REQUIRE(w.store.scan({store::Family::enrolment, "codes"}, "", "", 10)->size() == 2);
    CHECK(first.size() == w.store.get({store::Family::enrolment, "codes"}, kBernd).value()->size());
    const auto second = ask_stranger();
    CHECK(second != first);
    const auto third = ask_stranger();
    CHECK(third != second);
    REQUIRE(w.room->request_code(kStranger, kPeer));
    w.ask(kAnna);
    CHECK(decoy(w) == third);
    CHECK(w.post.count() == 4);
}

TEST_CASE("no decoy can be redeemed") {
    World w;
    const auto key = key_pair(1);
    REQUIRE(w.room->request_code(kStranger, kPeer));
    w.ask(kAnna);
    REQUIRE_FALSE(decoy(w).empty());
    for (const auto* text : {kStranger, "decoy", "decoy@polizei.example"})
        CHECK(w.begin(text, "12345678", key).error().code == Errc::code_wrong);
    CHECK(w.room->expire());
    CHECK(decoy(w).empty());
}
