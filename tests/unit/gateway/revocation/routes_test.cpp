// What is shown of an order: to whom, and what it waits for.
#include "revocation/routes.hpp"
#include "nimes/encoding.hpp"
#include "world.hpp"

namespace nimes::gateway::revocation {
namespace {

using Json = nlohmann::json;

struct Roll final : rights::People {
    Standing standing(const std::string&) const override { return Standing::stands; }
};

// The door to the orders of a world.
struct Counter {
    World w;
    Roll roll;
    SystemRandom random;
    std::unique_ptr<rights::Administrators> administrators =
        rights::Administrators::open(w.store, roll, w.clock, random).value();
    operations::Metrics metrics{"test", "test"};
    rights::Door door{{*administrators, *w.audit, metrics.admin_refusals, 998}};

    Counter() { add_routes(door, *w.runner, w.names); }
    // Without a token it is the local root who asks.
    Json order(std::uint64_t id, const std::string& token = {}) const {
        const auto path = "/v1/admin/revocations/" + std::to_string(id);
        auto match = door.router().find(http::Method::get, path);
        REQUIRE(match.handler != nullptr);
        http::Request request;
        request.method = http::Method::get;
        request.path = path;
        request.params = match.params;
        request.peer = "uid 998 login 1001";
        if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
        const auto response = (*match.handler)(request);
        REQUIRE(response.status == 200);
        return Json::parse(as_text(response.body));
    }
};

}  // namespace

TEST_CASE(
    "by whom a chain is owed is shown to who has rights in their unit, that it is owed to all who see the order") {
    Counter c;
    c.w.names.elsewhere[device(14)] = "Gifhorn";
    c.w.hands.chains = {{ConversationId::from(Bytes(16, 1)), device(13), ChainId::from(Bytes(16, 1))},
                        {ConversationId::from(Bytes(16, 2)), device(14), ChainId::from(Bytes(16, 2))}};
    const auto id = c.w.runner->order(c.w.draft(Kind::revoke, {device(11)})).value().id;
    c.w.settle();
    const rights::Administrator of_celle{
        "anna", "anna@polizei.example", rights::Role::administrator, {"Celle"}, "test", 0, 0};
    const auto token = c.administrators->add(of_celle, store::Batch({store::Family::audit, "x"})).value();
    const auto hers = c.order(id, token);
    CHECK(hers["chains_owed"] == 2);
    REQUIRE(hers["owed"].size() == 2);
    CHECK(hers["owed"][0]["by"] == "p13");
    CHECK(hers["owed"][0]["device"] == to_text(device(13)));
    CHECK(hers["owed"][1].size() == 1);
    CHECK(hers["owed"][1].contains("conversation"));
    CHECK(c.order(id)["owed"][1]["by"] == "p14");
}

TEST_CASE("an order names the brokers: which hold it, which it waits for, which are away; also when it is done") {
    Counter c;
    const auto id = c.w.runner->order(c.w.draft(Kind::suspend, {device(11)})).value().id;
    c.w.runner->round();
    const auto revision = c.w.hands.revision;
    c.w.names.lines = {{"edge-1", true, true, revision},
                       {"edge-2", true, true, revision - 1},
                       {"edge-3", false, true, 0},
                       {"edge-4", false, false, 0}};
    const auto said = [&](const char* what) {
        std::string out;
        const auto brokers = c.order(id)["brokers"];
        REQUIRE(brokers.size() == 4);
        for (const auto& b : brokers) out += b[what] == true ? "y" : "n";
        return out;
    };
    CHECK(said("linked") == "yynn");
    CHECK(said("holds") == "ynnn");
    CHECK(said("waited_for") == "nyyn");
    c.w.settle();
    CHECK(said("holds") == "ynnn");  // who skipped it is told of
    CHECK(said("waited_for") == "nnnn");
}

}  // namespace nimes::gateway::revocation
