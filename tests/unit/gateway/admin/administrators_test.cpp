// The administration as people of each role meet it: what they see, what they may, what is refused and noted.
#include "desk.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::admin;
using http::Method;
using rights::Role;

namespace {

Json json(const http::Response& response) { return Json::parse(as_text(response.body)); }

struct Station : Desk {
    Station() {
        const auto row = store::Batch({store::Family::audit, "x"});
        REQUIRE(organisation->create("Polizei", "polizei.example", row));
        for (const auto* unit : {"Celle", "Gifhorn"}) REQUIRE(organisation->add_unit(unit, row));
        registry.known = {{"a@polizei.example", "A", "PK", "Celle", false},
                          {"b@polizei.example", "B", "PK", "Gifhorn", false}};
        DeviceLine one, two;
        one.unit = "Celle";
        two.unit = "Gifhorn";
        one.address = "a@polizei.example";
        registry.lines = {one, two};
    }
    http::Response make(const Json& body) const { return ask(Method::post, "/v1/admin/administrators", body.dump()); }
    double refused(const std::string& reason) const {
        const auto text = metrics.text();
        const auto at = text.find("nimes_admin_refusals_total{reason=\"" + reason + "\"} ");
        return at == std::string::npos ? 0 : std::stod(text.substr(text.find("} ", at) + 2));
    }
};

}  // namespace

TEST_CASE("an administrator is made with a token that works once it is told and stands nowhere") {
    Station s;
    const auto made = s.make({{"name", "anna"}, {"address", "A@polizei.example"}, {"role", "owner"}, {"why", "first"}});
    REQUIRE(made.status == 201);
    CHECK(made.headers.get("Cache-Control") == "no-store");
    const auto token = json(made).at("token").get<std::string>();
    const auto line = s.log->read(1, 10).value().at(0);
    CHECK(line.find(token.substr(20, 20)) == std::string::npos);
    CHECK(Json::parse(line).at("who") == "uid 998 login 1001, local root");
    s.token = token;
    const auto all = json(s.ask(Method::get, "/v1/admin/administrators"));
    REQUIRE(all.size() == 1);
    CHECK(all[0]["address"] == "a@polizei.example");
    CHECK(all[0]["last_used_ms"] > 0);
    CHECK_FALSE(all[0].dump().find("token") != std::string::npos);
    REQUIRE(s.ask(Method::post, "/v1/admin/units", R"({"name":"Uelzen"})").status == 201);
    CHECK(Json::parse(s.log->read(2, 1).value().at(0)).at("who") == "administrator anna, uid 998 login 1001");
}

TEST_CASE("what no administrator can be made of") {
    Station s;
    const auto status = [&](const Json& body) { return s.make(body).status; };
    CHECK(status({{"name", "x"}, {"address", "a@polizei.example"}, {"role", "king"}}) == 400);
    CHECK(status({{"name", "uid 0, local root"}, {"address", "a@polizei.example"}, {"role", "owner"}}) == 400);
    CHECK(status({{"name", "x"}, {"address", "a"}, {"role", "owner"}}) == 400);
    CHECK(status({{"name", "x"}, {"address", "a@polizei.example"}, {"role", "owner"}, {"units", {"Celle"}}}) == 400);
    CHECK(status({{"name", "x"}, {"address", "a@polizei.example"}, {"role", "auditor"}, {"units", {"Celle"}}}) == 400);
    CHECK(status({{"name", "x"}, {"address", "a@polizei.example"}, {"role", "help_desk"}, {"units", {"Nirgends"}}}) ==
          404);
    s.roll.shut_out = {"a@polizei.example"};
    CHECK(status({{"name", "x"}, {"address", "a@polizei.example"}, {"role", "owner"}}) == 403);
    CHECK(s.administrators->all().empty());
}

TEST_CASE("the last owner stays: neither removed nor, with one more, unable to be") {
    Station s;
    s.become(Role::owner, {}, "anna");
    CHECK(s.ask(Method::del, "/v1/admin/administrators/anna").status == 403);
    CHECK(s.audit() == std::vector<std::string>{"administrator remove failed"});
    REQUIRE(s.make({{"name", "bernd"}, {"address", "b@polizei.example"}, {"role", "owner"}}).status == 201);
    s.roll.shut_out = {"b@polizei.example"};  // an owner who is shut out is none
    CHECK(s.ask(Method::del, "/v1/admin/administrators/anna").status == 403);
    s.roll.shut_out.clear();
    CHECK(s.ask(Method::del, "/v1/admin/administrators/anna").status == 200);
    CHECK(s.ask(Method::get, "/v1/admin/self").status == 401);  // by the token that was anna's
}

TEST_CASE("whoever has a unit sees that unit") {
    Station s;
    s.become(Role::help_desk, {"Celle"});
    CHECK(json(s.ask(Method::get, "/v1/admin/people")).size() == 1);
    CHECK(json(s.ask(Method::get, "/v1/admin/devices")).size() == 1);
    CHECK(json(s.ask(Method::get, "/v1/admin/approvals")).size() == 1);
    s.become(Role::help_desk, {"Gifhorn"}, "gerd");
    CHECK(json(s.ask(Method::get, "/v1/admin/people"))[0]["address"] == "b@polizei.example");
    CHECK(json(s.ask(Method::get, "/v1/admin/approvals")).empty());
    s.registry.owner = s.registry.known[0];
    CHECK(s.ask(Method::get, "/v1/admin/devices/" + to_text(s.approvals.line.device) + "/wipe").status == 403);
    CHECK(s.audit().empty());  // looking is no act
    const auto refused = s.ask(Method::post, "/v1/admin/devices/" + to_text(s.approvals.line.device) + "/approve");
    CHECK(refused.status == 403);
    CHECK(json(refused)["code"] == "ERR_FORBIDDEN");
    CHECK(json(refused)["detail"].get<std::string>().find("another unit") != std::string::npos);
    CHECK(s.approvals.approved.empty());
    CHECK(s.audit() == std::vector<std::string>{"refused"});
    const auto entry = Json::parse(s.log->read(1, 1).value().at(0));
    CHECK(entry["who"] == "administrator gerd, uid 998 login 1001");
    CHECK(entry["whom"]["action"] == "approve");
    CHECK(s.refused("scope") == 2);
}

TEST_CASE("a device of an owner is an owner's to approve") {
    Station s;
    s.administrators
        ->add({"meyer", "a.meyer@polizei.example", Role::owner, {}, "", 0, 0},
              store::Batch({store::Family::audit, "x"}))
        .value();
    const auto path = "/v1/admin/devices/" + to_text(s.approvals.line.device) + "/approve";
    s.become(Role::administrator);
    CHECK(s.ask(Method::post, path).status == 403);
    CHECK(s.refused("owner") == 1);
    s.become(Role::owner, {}, "olga");
    CHECK(s.ask(Method::post, path).status == 200);
}

TEST_CASE("self says what whoever asks may do, and no more") {
    Station s;
    const auto paths = [&] {
        std::set<std::string> out;
        const auto me = json(s.ask(Method::get, "/v1/admin/self"));
        for (const auto& may : me["may"])
            out.insert(may["method"].get<std::string>() + " " + may["path"].get<std::string>());
        return out;
    };
    CHECK(paths().size() == s.door.rows().size());
    s.become(Role::auditor);
    CHECK(paths() == std::set<std::string>{"GET /v1/admin/audit", "GET /v1/admin/audit/head", "GET /v1/admin/approvals",
                                           "GET /v1/admin/devices", "GET /v1/admin/devices/{id}/wipe",
                                           "GET /v1/admin/org", "GET /v1/admin/people", "GET /v1/admin/self"});
}

TEST_CASE("before there is an organisation, nothing of one; then it is created, once") {
    Desk desk;
    CHECK(desk.ask(Method::get, "/v1/admin/org").status == 404);
    CHECK(desk.ask(Method::post, "/v1/admin/units", R"({"name":"Celle"})").status == 404);
    CHECK(desk.ask(Method::post, "/v1/admin/roster", "address,name,rank,unit\n").status == 404);
    const auto body = R"({"name":"Polizei","domain":"Polizei.Example","why":"Beginn"})";
    const auto made = desk.ask(Method::post, "/v1/admin/org", body);
    REQUIRE(made.status == 201);
    CHECK(json(made) == Json{{"name", "Polizei"}, {"domains", {"polizei.example"}}});
    CHECK(desk.ask(Method::post, "/v1/admin/org", body).status == 409);
    CHECK(desk.audit() == std::vector<std::string>{"org create"});
    CHECK(json(desk.ask(Method::get, "/v1/admin/org"))["units"] == Json::array());
}
