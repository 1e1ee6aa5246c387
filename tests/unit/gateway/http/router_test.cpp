#include "http/router.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace nimes;
using namespace nimes::gateway::http;

namespace {

Handler says(std::string what) {
    return [what](Request&) { return Response::text(200, "text/plain", what); };
}

// What the handler said, or the status of the refusal.
std::string answer(const Router& router, Method method, std::string_view path) {
    auto match = router.find(method, path);
    if (match.refused) return std::to_string(match.refused->status);
    Request request;
    request.params = match.params;
    std::string out(as_text((*match.handler)(request).body));
    for (const auto& [name, value] : request.params) out.append(" ").append(name).append("=").append(value);
    return out;
}

}  // namespace

TEST_CASE("the closest pattern answers, whatever the order of adding") {
    Router router;
    router.add({Method::get, "/a/{id}", says("name"), Access::open})
        .add({Method::get, "/a/b", says("literal"), Access::open})
        .add({Method::get, "/{x}/b/{y}", says("late"), Access::open})
        .add({Method::get, "/a/{x}/c", says("early"), Access::open})
        .add({Method::get, "/", says("root"), Access::open});
    CHECK(answer(router, Method::get, "/a/b") == "literal");
    CHECK(answer(router, Method::get, "/a/bb") == "name id=bb");
    CHECK(answer(router, Method::get, "/a/b/c") == "early x=b");
    CHECK(answer(router, Method::get, "/z/b/c") == "late x=z y=c");
    CHECK(answer(router, Method::get, "/") == "root");
    CHECK(answer(router, Method::get, "/a") == "404");
    CHECK(answer(router, Method::get, "/a/") == "404");
    CHECK(answer(router, Method::get, "/a/b/") == "404");
    CHECK(answer(router, Method::get, "//a/b") == "404");
    CHECK(answer(router, Method::get, "*") == "404");
    CHECK(answer(router, Method::get, "") == "404");
}

TEST_CASE("methods of a path: HEAD by GET, OPTIONS by itself, others 405 with Allow") {
    Router router;
    router.add({Method::get, "/x", says("get"), Access::open}).add({Method::post, "/x", says("post"), Access::open});
    router.add({Method::get, "/y", says("get"), Access::open}).add({Method::head, "/y", says("head"), Access::open});
    CHECK(answer(router, Method::head, "/x") == "get");
    CHECK(answer(router, Method::head, "/y") == "head");
    CHECK(answer(router, Method::put, "/x") == "405");
    CHECK(router.find(Method::put, "/x").refused->headers.get("Allow") == "OPTIONS, GET, HEAD, POST");
    CHECK(router.find(Method::put, "/y").refused->headers.get("Allow") == "OPTIONS, GET, HEAD");
    CHECK(answer(router, Method::options, "/x") == "204");
    CHECK(answer(router, Method::options, "/nowhere") == "404");
    CHECK(router.find_unknown("/x").refused->status == 405);
    CHECK(router.find_unknown("/nowhere").refused->status == 404);
    CHECK(router.find(Method::put, "/x").pattern == "/x");
    CHECK(router.find(Method::put, "/nowhere").pattern.empty());
}

TEST_CASE("what is stamped on a path is on every answer there and below, and nowhere else") {
    Router router;
    router.stamp("/v1/media", "Tus-Resumable", "1.0.0");
    const auto stamped = [&](std::string_view path) {
        auto response = Response::empty();
        response.headers.set("Tus-Resumable", "another");
        router.finish(path, response);
        return response.headers.count("Tus-Resumable") == 1 && response.headers.get("Tus-Resumable") == "1.0.0";
    };
    for (const auto* path : {"/v1/media", "/v1/media/", "/v1/media/x", "/v1/media/x/y"}) CHECK(stamped(path));
    for (const auto* path : {"", "/", "/v1", "/v1/medi", "/v1/mediation", "/x/v1/media"}) CHECK_FALSE(stamped(path));
}

TEST_CASE("parameters are decoded once and hold no control characters") {
    Router router;
    router.add({Method::get, "/p/{v}", says(""), Access::open});
    CHECK(answer(router, Method::get, "/p/a%2Fb%20%C3%BC+") == " v=a/b \xc3\xbc+");
    CHECK(answer(router, Method::get, "/p/%2525") == " v=%25");
    CHECK(answer(router, Method::get, "/p/%00") == "400");
    CHECK(answer(router, Method::get, "/p/%0a") == "400");
    CHECK(answer(router, Method::get, "/p/%7F") == "400");
    CHECK(answer(router, Method::get, "/p/%") == "400");
    CHECK(answer(router, Method::get, "/p/%2") == "400");
    CHECK(answer(router, Method::get, "/p/%g0") == "400");
}

TEST_CASE("queries") {
    const auto query = parse_query("a=1&b&c=%26%3D&a=2=3&=x").value();
    REQUIRE(query.size() == 5);
    CHECK(query[0] == std::pair<std::string, std::string>("a", "1"));
    CHECK(query[1] == std::pair<std::string, std::string>("b", ""));
    CHECK(query[2].second == "&=");
    CHECK(query[3].second == "2=3");
    CHECK(parse_query("").value().empty());
    CHECK(parse_query("a=%zz").error().code == Errc::malformed);
    std::string many;
    for (int i = 0; i < 64; ++i) many += "a&";
    CHECK(parse_query(many.substr(0, many.size() - 1)).value().size() == 64);
    CHECK(parse_query(many).error().code == Errc::malformed);
}

TEST_CASE("a wrong table is found at start-up") {
    Router router;
    router.add({Method::get, "/a/{x}", says(""), Access::open});
    CHECK_THROWS_AS(router.add({Method::get, "/a/{y}", says("")}), std::logic_error);
    CHECK_THROWS_AS(router.add({Method::get, "a", says("")}), std::logic_error);
    CHECK_THROWS_AS(router.add({Method::get, "/{a", says("")}), std::logic_error);
    CHECK_THROWS_AS(router.add({Method::get, "/{}", says("")}), std::logic_error);
    router.add({Method::put, "/a/{x}", says("")});
    CHECK(router.rows() == std::vector<std::string>{"GET /a/{x}", "PUT /a/{x}"});
}
