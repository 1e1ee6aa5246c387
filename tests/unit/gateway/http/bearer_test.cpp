#include "http/bearer.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::gateway::http;

namespace {

std::string judged(const std::string& value) {
    const auto headers = Headers().add("authorization", value);
    const auto token = bearer_token(headers);
    return token ? std::string(*token) : std::string(token.error().row().name);
}

}  // namespace

TEST_CASE("a bearer token is exactly 160 characters of base64url behind the scheme") {
    const std::string token(160, 'A');
    CHECK(judged("Bearer " + token) == token);
    CHECK(judged("bEARER   " + token) == token);
    CHECK(judged("Bearer " + token + "A") == "ERR_TOKEN_INVALID");
    CHECK(judged("Bearer " + token.substr(1)) == "ERR_TOKEN_INVALID");
    CHECK(judged("Bearer " + token.substr(1) + "=") == "ERR_TOKEN_INVALID");
    CHECK(judged("Bearer " + token.substr(1) + " ") == "ERR_TOKEN_INVALID");
    CHECK(judged("Basic " + token) == "ERR_TOKEN_MISSING");
    CHECK(judged("Bearer") == "ERR_TOKEN_MISSING");
    CHECK(judged("") == "ERR_TOKEN_MISSING");
    CHECK(bearer_token({}).error().code == Errc::token_missing);
}

TEST_CASE("two Authorization fields are refused, not chosen from") {
    const std::string token = "Bearer " + std::string(160, 'A');
    CHECK(bearer_token(Headers().add("Authorization", token).add("AUTHORIZATION", token)).error().code ==
          Errc::token_invalid);
}
