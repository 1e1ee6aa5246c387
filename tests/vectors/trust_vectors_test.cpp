#include <algorithm>
#include <catch2/catch.hpp>

#include "golden.hpp"
#include "nimes/trust.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

DirectoryEntry person(const nlohmann::json& v) {
    DirectoryEntry out;
    out.user = id<UserId>(v["user"]);
    for (const auto& key : v["keys"]) {
        DeviceCert cert;
        cert.user = out.user;
        cert.identity = id<PublicKey>(key);
        cert.device = device_id(out.user, cert.identity);
        out.certs.push_back(cert);
    }
    std::sort(out.certs.begin(), out.certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    return out;
}

}  // namespace

TEST_CASE("golden: safety numbers, whoever asks", "[vectors]") {
    const auto v = golden("trust.json");
    REQUIRE(v["numbers"].size() == 4);
    for (const auto& n : v["numbers"]) {
        const auto one = person(n["people"][0]), other = person(n["people"][1]);
        CHECK(safety_number(one, other) == n["number"].get<std::string>());
        CHECK(safety_number(other, one) == n["number"].get<std::string>());
    }
}

TEST_CASE("golden: the code of a device", "[vectors]") {
    const auto v = golden("trust.json")["code"];
    const ContactCode code{id<UserId>(v["user"]), id<DeviceId>(v["device"])};
    CHECK(code.text() == v["text"].get<std::string>());
    CHECK(ContactCode::parse(code.text()).value() == code);
}
