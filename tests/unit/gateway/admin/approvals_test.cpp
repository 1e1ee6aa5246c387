// The routes by which an administrator sees and approves devices of people who have lost all others.
#include "desk.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::admin;

TEST_CASE("an administrator sees who waits, and looking leaves no trace") {
    Desk desk;
    const auto answer = desk.ask(http::Method::get, "/v1/admin/approvals");
    CHECK(answer.status == 200);
    const auto lines = Json::parse(as_text(answer.body));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == Json{{"device", to_text(desk.approvals.line.device)},
                           {"address", "a.meyer@polizei.example"},
                           {"name", "Meyer, Anna"},
                           {"unit", "Celle"},
                           {"platform", 7},
                           {"shut_out", false}});
    CHECK(desk.audit().empty());
}

TEST_CASE("an approval reaches the device that was named, and the audit") {
    Desk desk;
    const auto device = desk.approvals.line.device;
    const auto answer = desk.ask(http::Method::post, "/v1/admin/devices/" + to_text(device) + "/approve");
    CHECK(answer.status == 200);
    CHECK(desk.approvals.approved == std::vector{device});
    CHECK(desk.audit() == std::vector<std::string>{"approve"});
}

TEST_CASE("who does not wait cannot be approved, and what is no device is refused") {
    Desk desk;
    DeviceId other;
    other.bytes.fill(6);
    CHECK(desk.ask(http::Method::post, "/v1/admin/devices/" + to_text(other) + "/approve").status == 404);
    CHECK(desk.ask(http::Method::post, "/v1/admin/devices/x/approve").status == 400);
    CHECK(desk.approvals.approved.empty());
    CHECK(desk.audit() == std::vector<std::string>{"approve", "approve failed"});  // of the one that was a device
}

TEST_CASE("a device of somebody who is shut out is not approved, and what to do first is said") {
    Desk desk;
    desk.approvals.line.shut_out = true;
    const auto path = "/v1/admin/devices/" + to_text(desk.approvals.line.device) + "/approve";
    const auto refused = desk.ask(http::Method::post, path);
    CHECK(refused.status == 403);
    const auto detail = Json::parse(as_text(refused.body)).at("detail").get<std::string>();
    CHECK(detail.find("admin reinstate --user") != std::string::npos);
    CHECK(desk.approvals.approved.empty());
    CHECK(desk.audit() == std::vector<std::string>{"approve", "approve failed"});
    CHECK(Json::parse(as_text(desk.ask(http::Method::get, "/v1/admin/approvals").body))[0]["shut_out"] == true);
    desk.approvals.line.shut_out = false;
    CHECK(desk.ask(http::Method::post, path).status == 200);
}

TEST_CASE("an administrator sees how far the wipe of a device came") {
    Desk desk;
    const auto path = "/v1/admin/devices/" + to_text(desk.approvals.line.device) + "/wipe";
    const auto state = [&] {
        const auto answer = desk.ask(http::Method::get, path);
        REQUIRE(answer.status == 200);
        return Json::parse(as_text(answer.body))["state"].get<std::string>();
    };
    CHECK(state() == "not_ordered");
    desk.wipes.line.ordered = 1;
    CHECK(state() == "ordered");
    desk.wipes.line.delivered = 2;
    CHECK(state() == "delivered_no_receipt");
    desk.wipes.line.receipted = 3;
    CHECK(state() == "receipted");
    desk.wipes.line.files_remain = true;
    CHECK(state() == "receipted_files_remain");
    CHECK(desk.ask(http::Method::get, "/v1/admin/devices/short/wipe").status == 400);
}
