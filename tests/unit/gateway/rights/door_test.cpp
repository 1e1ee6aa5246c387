// The door: who asks, what the table grants, and what a refusal leaves behind.
#include "rights/door.hpp"

#include <nlohmann/json.hpp>

#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::rights;
using Json = nlohmann::json;
using http::Method;

namespace {

// The table once more, as it was asked for; letters: o owner, a administrator, u administrator of a unit, h help desk,
// i help desk of a unit, r auditor.
const std::map<std::string, std::string> kAskedFor{
    {"look", "oauhir"},          {"see_people", "oauhir"}, {"see_orders", "oauhir"}, {"suspend", "oauhi"},
    {"reinstate", "oau"},        {"revoke", "oau"},        {"approve", "oauhi"},     {"import_roster", "oau"},
    {"read_audit", "oar"},       {"organise", "oa"},       {"provision", "oa"},      {"steward_groups", "oa"},
    {"make_administrators", "o"}};
const std::map<char, Asker> kAskers{{'o', {"", "o", Role::owner, {}}},
                                    {'a', {"", "a", Role::administrator, {}}},
                                    {'u', {"", "u", Role::administrator, {"Celle"}}},
                                    {'h', {"", "h", Role::help_desk, {}}},
                                    {'i', {"", "i", Role::help_desk, {"Celle"}}},
                                    {'r', {"", "r", Role::auditor, {}}}};

struct Gate : Office {
    std::unique_ptr<audit::Log> log = audit::Log::open(store, clock).value();
    operations::Metrics metrics{"test", "test"};
    Door door{{*all, *log, metrics.admin_refusals, 998}};
    std::vector<std::string> let_in;  // "who" of each

    Handler handler() {
        return [this](http::Request&, const Asker& who) {
            let_in.push_back(who.who);
            return http::Response::empty();
        };
    }
    http::Response ask(Method method, const std::string& path, const std::string& peer, const std::string& token = {},
                       const std::string& body = {}) {
        const auto match = door.router().find(method, path);
        REQUIRE(match.handler != nullptr);
        http::Request request;
        request.method = method;
        request.path = path;
        request.peer = peer;
        request.body = to_bytes(as_bytes(body));
        if (!token.empty()) request.headers.set("Authorization", token);
        return (*match.handler)(request);
    }
    std::string refusals() const {
        const auto text = metrics.text();
        std::string out;
        for (const auto* reason : {"unknown", "role", "scope", "owner", "reach"})
            if (text.find(std::string("nimes_admin_refusals_total{reason=\"") + reason) != std::string::npos)
                out += std::string(reason) + " ";
        return out;
    }
};

}  // namespace

TEST_CASE("the table grants what was asked for, and nothing else") {
    REQUIRE(kAskedFor.size() == kActions);
    for (std::size_t i = 0; i < kActions; ++i) {
        const auto action = static_cast<Action>(i);
        const auto& letters = kAskedFor.at(std::string(name(action)));
        for (const auto& [letter, asker] : kAskers) {
            INFO(name(action) << " by " << letter);
            CHECK(asker.may(action) == (letters.find(letter) != std::string::npos));
        }
    }
}

TEST_CASE("without a token root and the gateway's own user are the local root, and nobody else is anybody") {
    Gate g;
    g.door.whole(Method::post, "/x", Action::make_administrators, g.handler());
    CHECK(g.ask(Method::post, "/x", "uid 0 login 1001").status == 204);
    CHECK(g.ask(Method::post, "/x", "uid 998").status == 204);
    CHECK(g.let_in == std::vector<std::string>{"uid 0 login 1001, local root", "uid 998, local root"});
    for (const auto* peer :
         {"uid 1001", "uid 99", "uid 0x", "uid ", "uid unknown", "", "0", "127.0.0.1", "uid 4294967296"}) {
        INFO(peer);
        const auto refused = g.ask(Method::post, "/x", peer);
        CHECK(refused.status == 401);
        CHECK(Json::parse(as_text(refused.body)).at("detail").get<std::string>().find("token") != std::string::npos);
    }
    CHECK(g.let_in.size() == 2);
    CHECK(g.log->head().seq == 0);  // a stranger writes nothing into the audit
    CHECK(g.refusals() == "unknown ");
}

TEST_CASE("whoever shows a token has that role, root too; a wrong one is worse than none") {
    Gate g;
    g.door.whole(Method::get, "/audit", Action::read_audit, g.handler())
        .whole(Method::post, "/org", Action::organise, g.handler());
    const auto token = g.add("anna", Role::auditor).value();
    for (const auto* peer : {"uid 0", "uid 1001"}) {
        CHECK(g.ask(Method::get, "/audit", peer, "Bearer " + token).status == 204);
        CHECK(g.ask(Method::get, "/audit", peer, "bearer " + token).status == 204);
        CHECK(g.ask(Method::post, "/org", peer, "Bearer " + token).status == 403);
        CHECK(g.ask(Method::get, "/audit", peer, token).status == 401);
        CHECK(g.ask(Method::get, "/audit", peer, "Basic " + token).status == 401);
        CHECK(g.ask(Method::get, "/audit", peer, "Bearer nimes-admin-" + std::string(64, '0')).status == 401);
    }
    CHECK(g.let_in[0] == "administrator anna, uid 0");
    g.roll.people[Office::address("anna")] = People::Standing::shut_out;
    CHECK(g.ask(Method::get, "/audit", "uid 0", "Bearer " + token).status == 401);
}

TEST_CASE("a refused act says what would be right, is counted, and stands in the audit; a refused look does not") {
    Gate g;
    g.door.whole(Method::post, "/units", Action::organise, g.handler())
        .whole(Method::get, "/audit", Action::read_audit, g.handler());
    const auto token = "Bearer " + g.add("anna", Role::administrator, {"Celle"}).value();
    const auto refused = g.ask(Method::post, "/units", "uid 1001", token, R"({"why":"wir brauchen sie"})");
    CHECK(refused.status == 403);
    const auto problem = Json::parse(as_text(refused.body));
    CHECK(problem["code"] == "ERR_FORBIDDEN");
    CHECK(problem["detail"] ==
          "organise is not for administrator of the unit Celle: an owner, an administrator of the organisation may");
    CHECK(g.ask(Method::get, "/audit", "uid 1001", token).status == 403);
    CHECK(g.let_in.empty());
    CHECK(g.refusals() == "role ");
    const auto lines = g.log->read(1, 10).value();
    REQUIRE(lines.size() == 1);
    const auto entry = Json::parse(lines[0]);
    CHECK(entry["what"] == "refused");
    CHECK(entry["who"] == "administrator anna, uid 1001");
    CHECK(entry["whom"] == Json{{"action", "organise"}, {"path", "/units"}, {"reason", "role"}});
    CHECK(entry["why"] == "wir brauchen sie");
}

TEST_CASE("what is aimed at people is judged by all of them, and an owner is an owner's") {
    Gate g;
    std::vector<Meant> meant;
    g.door.aimed(
        Method::post, "/suspend", Action::suspend,
        [&](const http::Request&) { return Result<std::vector<Meant>>(meant); }, g.handler());
    REQUIRE(g.add("clara", Role::owner));
    const auto unit = "Bearer " + g.add("anna", Role::help_desk, {"Celle", "Uelzen"}).value();
    const auto whole = "Bearer " + g.add("bernd", Role::administrator).value();
    const auto status = [&](const std::string& token, std::vector<Meant> people) {
        meant = std::move(people);
        return g.ask(Method::post, "/suspend", "uid 1001", token).status;
    };
    const Meant celle{"x@polizei.example", "Celle"}, uelzen{"y@polizei.example", "Uelzen"};
    const Meant gifhorn{"z@polizei.example", "Gifhorn"}, nowhere{"", ""};
    const Meant owner{Office::address("clara"), "Celle"};
    CHECK(status(unit, {celle, uelzen}) == 204);
    CHECK(status(unit, {celle, gifhorn}) == 403);
    CHECK(status(unit, {nowhere}) == 403);
    CHECK(status(unit, {owner}) == 403);
    CHECK(status(whole, {celle, gifhorn}) == 204);
    CHECK(status(whole, {gifhorn, owner}) == 403);
    CHECK(g.ask(Method::post, "/suspend", "uid 0").status == 204);  // the local root
    CHECK(g.refusals() == "scope owner ");
}

TEST_CASE("a route of the whole organisation is closed to who has rights in a unit alone, whatever the action") {
    Gate g;
    g.door.whole(Method::post, "/everything", Action::suspend, g.handler());
    const auto unit = "Bearer " + g.add("anna", Role::administrator, {"Celle"}).value();
    const auto whole = "Bearer " + g.add("bernd", Role::administrator).value();
    CHECK(g.ask(Method::post, "/everything", "uid 1001", unit).status == 403);
    CHECK(g.ask(Method::post, "/everything", "uid 1001", whole).status == 204);
}

TEST_CASE("who has rights in a unit alone does nothing to somebody there who has them elsewhere too") {
    Gate g;
    std::string address;
    const auto aim = [&](const http::Request&) { return Result<std::vector<Meant>>({{address, "Celle"}}); };
    g.door.aimed(Method::post, "/revoke", Action::revoke, aim, g.handler())
        .aimed(Method::get, "/devices", Action::see_people, aim, g.handler());
    for (const auto* name : {"dora", "emil", "frank"}) g.roll.people[Office::address(name)] = People::Standing::stands;
    const auto celle = "Bearer " + g.add("anna", Role::administrator, {"Celle", "Uelzen"}).value();
    const auto whole = "Bearer " + g.add("bernd", Role::administrator).value();
    REQUIRE(g.add("clara", Role::auditor));
    REQUIRE(g.add("dora", Role::help_desk, {"Celle"}));
    REQUIRE(g.add("emil", Role::help_desk, {"Celle", "Gifhorn"}));
    const auto status = [&](const std::string& token, Method method, const std::string& name) {
        address = Office::address(name);
        return g.ask(method, method == Method::post ? "/revoke" : "/devices", "uid 1001", token).status;
    };
    CHECK(status(celle, Method::post, "clara") == 403);  // the auditor is everybody's
    CHECK(status(celle, Method::post, "bernd") == 403);
    CHECK(status(celle, Method::post, "emil") == 403);
    CHECK(status(celle, Method::post, "dora") == 204);
    CHECK(status(celle, Method::post, "frank") == 204);
    CHECK(status(celle, Method::get, "clara") == 204);  // to look is no act
    CHECK(status(whole, Method::post, "clara") == 204);
    CHECK(status(whole, Method::post, "emil") == 204);
    CHECK(g.refusals() == "reach ");
}

TEST_CASE("a route that does several things asks for the right to the one") {
    Gate g;
    const auto which = [](const http::Request& r) -> Result<Action> {
        if (as_text(r.body) == "s") return Action::suspend;
        if (as_text(r.body) == "r") return Action::revoke;
        return fail(Errc::usage);
    };
    g.door.filtered(Method::post, "/order", {{Action::suspend, Action::revoke}, which}, g.handler());
    const auto token = "Bearer " + g.add("anna", Role::help_desk).value();
    CHECK(g.ask(Method::post, "/order", "uid 1", token, "s").status == 204);
    CHECK(g.ask(Method::post, "/order", "uid 1", token, "r").status == 403);
    CHECK(g.ask(Method::post, "/order", "uid 1", token, "x").status == 400);
}
