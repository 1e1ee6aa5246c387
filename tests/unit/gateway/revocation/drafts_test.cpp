// What can be asked for, and what is refused before anything is begun.
#include "revocation/drafts.hpp"
#include "nimes/encoding.hpp"
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::revocation;
using Json = nlohmann::json;

namespace {

Result<Draft> read(World& w, const Json& body) { return draft_of(as_bytes(body.dump()), "uid 998", w.names); }

}  // namespace

TEST_CASE("a device, a person, a unit and a list") {
    World w;
    const auto one =
        read(w, {{"kind", "revoke"}, {"reason", "stolen"}, {"devices", {to_text(device(11))}}, {"why", "x"}});
    REQUIRE(one);
    CHECK(one->scope == "device");
    CHECK(one->wipe);
    CHECK(one->why == "x");
    CHECK(one->who == "uid 998");
    CHECK_FALSE(read(w, {{"kind", "revoke"}, {"reason", "left"}, {"devices", {to_text(device(11))}}})->wipe);
    CHECK(read(w, {{"kind", "suspend"}, {"users", {"Anna@polizei.example"}}})->people == std::vector{user(1)});
    const auto unit = read(w, {{"kind", "suspend"}, {"unit", "Celle"}});
    REQUIRE(unit);
    CHECK(unit->people.size() == 2);
    CHECK(unit->scope == "unit Celle");
    CHECK_FALSE(unit->reason);
    const auto list = read(w, {{"kind", "suspend"}, {"unit", "Celle"}, {"devices", {to_text(device(14))}}});
    REQUIRE(list);
    CHECK(list->scope == "list");
    CHECK(list->devices == std::vector{device(14)});
}

TEST_CASE("what is refused, and why") {
    World w;
    w.hands.state[device(14)] = "revoked";
    const auto code = [&](const Json& body) { return read(w, body).error().code; };
    CHECK(code("text") == Errc::malformed);
    CHECK(code({{"kind", "burn"}, {"unit", "Celle"}}) == Errc::usage);
    CHECK(code({{"kind", "revoke"}, {"unit", "Celle"}}) == Errc::usage);  // no reason
    CHECK(code({{"kind", "suspend"}}) == Errc::usage);                    // nobody: never everybody
    CHECK(code({{"kind", "suspend"}, {"users", Json::array()}}) == Errc::usage);
    CHECK(code({{"kind", "suspend"}, {"users", "anna@polizei.example"}}) == Errc::malformed);
    CHECK(code({{"kind", "suspend"}, {"users", {7}}}) == Errc::malformed);
    CHECK(code({{"kind", "suspend"}, {"unit", "Nirgends"}}) == Errc::not_found);
    CHECK(code({{"kind", "suspend"}, {"devices", {to_text(device(99))}}}) == Errc::device_unknown);
    CHECK(code({{"kind", "suspend"}, {"devices", {to_text(device(14))}}}) == Errc::device_revoked);
    CHECK(code({{"kind", "reinstate"}, {"devices", {to_text(device(14))}}}) == Errc::device_revoked);
    CHECK(read(w, {{"kind", "revoke"}, {"reason", "lost"}, {"devices", {to_text(device(14))}}}));
}

TEST_CASE("every wrong name of a list is told by its place, and no address is repeated") {
    World w;
    const auto refused = read(
        w, {{"kind", "suspend"}, {"users", {"anna@polizei.example", "eve@polizei.example", "x@y@polizei.example"}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail == "user 2: nobody of that address\nuser 3: not one service address");
    const auto devices = read(w, {{"kind", "suspend"}, {"devices", {to_text(device(11)), to_text(device(99))}}});
    CHECK(devices.error().detail == "device 2: no such device");
}
