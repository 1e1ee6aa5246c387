#include "http/problem.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace nimes;
using namespace nimes::gateway::http;

TEST_CASE("an error becomes problem+json with code and hint") {
    const auto response = problem(Errc::upload_offset, "stands at 5");
    CHECK(response.status == 409);
    CHECK(response.headers.get("content-type") == "application/problem+json");
    const auto body = nlohmann::json::parse(as_text(response.body));
    CHECK(body["type"] == "urn:nimes:error:ERR_UPLOAD_OFFSET");
    CHECK(body["status"] == 409);
    CHECK(body["code"] == "ERR_UPLOAD_OFFSET");
    CHECK(body["title"] == row(Errc::upload_offset).title);
    CHECK(body["hint"] == row(Errc::upload_offset).hint);
    CHECK(body["detail"] == "stands at 5");
    CHECK(!nlohmann::json::parse(as_text(problem(Errc::quota).body)).contains("detail"));
}

TEST_CASE("what passes by itself says when to come again, and 401 says how to ask") {
    CHECK(problem(Errc::busy).headers.get("Retry-After") == "1");
    CHECK(problem(Errc::rate_limited).headers.get("Retry-After") == "1");
    CHECK(problem(Errc::forbidden).headers.find("Retry-After") == nullptr);
    CHECK(problem(Errc::token_missing).headers.get("WWW-Authenticate") == "Bearer");
    CHECK(problem(Error{Errc::too_large, {}}, 431).status == 431);
}
