// The routes by which an administrator sees and approves devices of people who have lost all others.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "admin/routes.hpp"
#include "nimes/encoding.hpp"
#include "store/memory_store.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::admin;
using Json = nlohmann::json;

namespace {

struct NoRegistry final : Registry {
    Result<Change> put_person(const PersonFields&, const store::Batch&) override { return Change::unchanged; }
    std::vector<DeviceLine> devices(const std::optional<ServiceAddress>&) const override { return {}; }
    Result<void> suspend(const DeviceId&) override { return {}; }
    Result<void> resume(const DeviceId&) override { return {}; }
    Result<void> revoke(const DeviceId&, RevokeReason) override { return {}; }
};

struct OneWaits final : Approvals {
    WaitingLine line{DeviceId{}, "a.meyer@polizei.example", "Meyer, Anna", 7};
    std::vector<DeviceId> approved;
    OneWaits() { line.device.bytes.fill(5); }
    Result<std::vector<WaitingLine>> waiting() override { return std::vector{line}; }
    Result<void> approve(const DeviceId& device) override {
        if (device != line.device) return fail(Errc::not_found, "no such device waits for an approval");
        approved.push_back(device);
        return {};
    }
};

struct OneWipe final : Wipes {
    WipeLine line;
    Result<WipeLine> wipe(const DeviceId&) override { return line; }
};

struct NoGroups final : Groups {
    Result<GroupLine> group(const ConversationId&) override { return fail(Errc::not_found); }
    Result<std::vector<GroupLine>> orphaned() override { return std::vector<GroupLine>{}; }
    Result<void> appoint(const ConversationId&, const ServiceAddress&) override { return fail(Errc::not_found); }
};

struct Desk {
    store::MemoryStore store;
    SystemClock clock;
    std::unique_ptr<Organisation> organisation = Organisation::open(store).value();
    NoRegistry registry;
    OneWaits approvals;
    OneWipe wipes;
    NoGroups groups;
    Revocations revocations;
    std::unique_ptr<audit::Log> log = audit::Log::open(store, clock).value();
    http::Router router;

    Desk() { add_routes(router, {*organisation, registry, approvals, wipes, groups, revocations, *log, clock}); }
    http::Response ask(http::Method method, const std::string& path) const {
        auto match = router.find(method, path);
        REQUIRE(match.handler != nullptr);
        http::Request request;
        request.method = method;
        request.path = path;
        request.params = match.params;
        return (*match.handler)(request);
    }
    // "what" of each audit line.
    std::vector<std::string> audit() {
        std::vector<std::string> out;
        const auto lines = log->read(1, 100).value();
        for (const auto& line : lines) out.push_back(Json::parse(line).at("what"));
        return out;
    }
};

}  // namespace

TEST_CASE("an administrator sees who waits, and looking leaves no trace") {
    Desk desk;
    const auto answer = desk.ask(http::Method::get, "/v1/admin/approvals");
    CHECK(answer.status == 200);
    const auto lines = Json::parse(as_text(answer.body));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == Json{{"device", to_text(desk.approvals.line.device)},
                           {"address", "a.meyer@polizei.example"},
                           {"name", "Meyer, Anna"},
                           {"platform", 7}});
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
