// What an import changes, what it shows before, and when it stops.
#include "admin/import.hpp"
#include "desk.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::admin;

namespace {

std::string address(std::size_t n) { return "p" + std::to_string(n) + "@polizei.example"; }

// People 1 to n, as they stand.
std::vector<PersonLine> people(std::size_t n) {
    std::vector<PersonLine> out;
    for (std::size_t i = 1; i <= n; ++i) out.push_back({address(i), "Meyer", "PK", "Celle", false});
    return out;
}
std::string roster(const std::vector<PersonLine>& lines) {
    std::string out = "address,name,rank,unit\n";
    for (const auto& p : lines) out += p.address + "," + p.name + "," + p.rank + "," + p.unit + "\n";
    return out;
}

struct Office : Desk {
    explicit Office(std::size_t n) {
        const auto row = store::Batch({store::Family::audit, "x"});
        REQUIRE(organisation->create("Polizei", "polizei.example", row));
        REQUIRE(organisation->add_unit("Celle", row));
        registry.known = people(n);
    }
    http::Response import(const std::vector<PersonLine>& lines, const http::Request::Pairs& query = {}) const {
        return ask(http::Method::post, "/v1/admin/roster", roster(lines), query);
    }
};

Json json(const http::Response& response) { return Json::parse(as_text(response.body)); }

}  // namespace

TEST_CASE("a dry run shows every change with what was before, and changes nothing") {
    Office office(3);
    auto lines = people(4);
    lines[1].rank = "PHK";
    lines.erase(lines.begin());
    const auto answer = office.import(lines, {{"dry_run", "1"}});
    REQUIRE(answer.status == 200);
    const auto shown = json(answer);
    CHECK(shown["added"] == 1);
    CHECK(shown["changed"] == 1);
    CHECK(shown["unchanged"] == 1);
    CHECK(shown["suspended"] == 1);
    CHECK(shown["wants_number"] == true);
    REQUIRE(shown["changes"].size() == 3);
    CHECK(shown["changes"][0]["what"] == "add");
    CHECK(shown["changes"][0]["address"] == address(4));
    CHECK(shown["changes"][1]["rank"] == "PHK");
    CHECK(shown["changes"][1]["before"]["rank"] == "PK");
    CHECK(shown["changes"][2] ==
          Json{{"what", "suspend"}, {"address", address(1)}, {"name", "Meyer"}, {"rank", "PK"}, {"unit", "Celle"}});
    CHECK(office.registry.put.empty());
    CHECK(office.suspensions.suspended.empty());
    CHECK(office.audit().empty());
}

TEST_CASE("an import puts what is new or other, suspends who left, and says so in the audit") {
    Office office(100);
    auto lines = people(101);
    lines[1].rank = "PHK";
    lines.erase(lines.begin());
    const auto answer = office.import(lines);
    REQUIRE(answer.status == 200);
    CHECK(json(answer)["order"] == 7);
    CHECK(office.registry.put == std::vector{address(101), address(2)});
    CHECK(office.suspensions.suspended == std::vector{address(1)});
    CHECK(office.suspensions.why.starts_with("not on the roster csv sha256 "));
    CHECK(office.audit() == std::vector<std::string>{"roster import", "person put", "person put"});
}

TEST_CASE("more than 20 people, or more than 2 % of them, leave only when their exact number is said") {
    struct Case {
        std::size_t of, leave;
        bool stops;
    };
    for (const auto& c : {Case{100, 2, false}, Case{100, 3, true}, Case{2'000, 20, false}, Case{2'000, 21, true},
                          Case{10, 1, true}, Case{10, 0, false}}) {
        INFO(c.leave << " of " << c.of);
        Office office(c.of);
        auto lines = people(c.of);
        lines.resize(c.of - c.leave);
        const auto answer = office.import(lines);
        CHECK((answer.status != 200) == c.stops);
        CHECK(office.suspensions.suspended.size() == (c.stops ? 0 : c.leave));
        if (!c.stops) continue;
        CHECK(office.audit().empty());
        CHECK(json(answer)["detail"].get<std::string>().find("--suspend " + std::to_string(c.leave)) !=
              std::string::npos);
        for (const auto wrong : {c.leave - 1, c.leave + 1})
            CHECK(office.import(lines, {{"suspend", std::to_string(wrong)}}).status == 400);
        CHECK(office.import(lines, {{"suspend", "all"}}).status == 400);
        CHECK(office.suspensions.suspended.empty());
        CHECK(office.import(lines, {{"suspend", std::to_string(c.leave)}}).status == 200);
        CHECK(office.suspensions.suspended.size() == c.leave);
    }
}

TEST_CASE("an empty roster suspends nobody by mistake") {
    Office office(5);
    CHECK(office.import({}).status == 400);
    CHECK(office.suspensions.suspended.empty());
}

TEST_CASE("who is shut out is neither counted as leaving nor let in by standing on the roster") {
    Office office(3);
    office.registry.known[0].shut_out = true;
    office.registry.known[1].shut_out = true;
    auto lines = people(3);
    lines.erase(lines.begin());  // the first is out, and left
    const auto answer = json(office.import(lines));
    CHECK(answer["suspended"] == 0);
    CHECK(answer["shut_out"] == 1);
    CHECK(answer["of"] == 1);
    CHECK_FALSE(answer.contains("order"));
    CHECK(office.suspensions.suspended.empty());
}

TEST_CASE("one wrong line refuses all of it") {
    Office office(3);
    auto lines = people(4);
    lines[2].unit = "Nirgends";
    const auto answer = office.import(lines);
    CHECK(answer.status == 400);
    CHECK(json(answer)["detail"].get<std::string>().starts_with("line 4"));
    CHECK(office.registry.put.empty());
    CHECK(office.audit().empty());
}

namespace {

// Rows from memory; at `breaks` the source is gone, as a directory service may be.
struct Rows final : RosterSource {
    std::vector<RosterRow> rows;
    std::size_t breaks = ~std::size_t{0};
    std::size_t at = 0;
    std::string name() const override { return "rows of a test"; }
    Result<std::optional<RosterRow>> next() override {
        if (at == breaks) return fail(Errc::unavailable, "entry " + std::to_string(at + 1) + ": nobody answers");
        if (at == rows.size()) return std::optional<RosterRow>();
        auto row = rows[at++];
        row.where = "entry " + std::to_string(at);
        return std::optional(row);
    }
};

Rows rows_of(const std::vector<PersonLine>& people) {
    Rows out;
    for (const auto& p : people) out.rows.push_back({"", p.address, p.name, p.rank, p.unit, ""});
    return out;
}

http::Response import(Office& office, RosterSource& source) {
    const rights::Asker root{"uid 998, local root", "", rights::Role::owner, {}};
    const Administration a{*office.organisation, office.registry, office.suspensions,     office.approvals,
                           office.wipes,         office.groups,   *office.administrators, *office.log};
    return RosterImport(a).import(source, {}, root);
}

}  // namespace

TEST_CASE("an import takes rows from wherever they come, and the audit names the source") {
    Office office(100);
    auto lines = people(101);
    lines.erase(lines.begin());
    auto source = rows_of(lines);
    const auto answer = import(office, source);
    REQUIRE(answer.status == 200);
    CHECK(office.registry.put == std::vector{address(101)});
    CHECK(office.suspensions.suspended == std::vector{address(1)});
    CHECK(office.suspensions.why == "not on the roster rows of a test");
    CHECK(Json::parse(office.log->read(1, 1).value().at(0)).at("whom").at("roster") == "rows of a test");
}

TEST_CASE("a source that breaks off changes nothing, and nobody leaves by what did not come") {
    Office office(3);
    auto source = rows_of(people(3));
    source.breaks = 1;
    const auto answer = import(office, source);
    CHECK(answer.status == 503);
    CHECK(json(answer)["detail"] == "entry 2: nobody answers");
    CHECK(office.registry.put.empty());
    CHECK(office.suspensions.suspended.empty());
    CHECK(office.audit().empty());
}

TEST_CASE("a row that could not be read is named as its source names it, with all other wrong ones") {
    Office office(3);
    auto source = rows_of(people(3));
    source.rows[0].fault = "no mail attribute";
    source.rows[2].unit = "Nirgends";
    const auto answer = import(office, source);
    CHECK(answer.status == 400);
    CHECK(json(answer)["detail"] ==
          "entry 1: no mail attribute\nentry 3: the unit is unknown, or not yours: create it first");
}

TEST_CASE("no import suspends an owner, and only an owner's changes one; the answer names them") {
    Office office(100);
    office.become(rights::Role::owner, {}, "p1");
    office.become(rights::Role::owner, {}, "p2");
    const auto by_owner = office.token;
    office.become(rights::Role::administrator, {}, "verwalter");
    auto lines = people(100);
    lines[1].rank = "PHK";
    lines.erase(lines.begin());
    const auto shown = json(office.import(lines, {{"dry_run", "1"}}));
    CHECK(shown["suspended"] == 0);
    CHECK(shown["kept"] == Json{address(2), address(1)});
    CHECK(shown["changes"][0]["what"] == "keep");
    REQUIRE(office.import(lines).status == 200);
    CHECK(office.suspensions.suspended.empty());
    CHECK(office.registry.put.empty());
    office.token = by_owner;
    CHECK(json(office.import(lines))["kept"] == Json{address(1)});
    CHECK(office.registry.put == std::vector{address(2)});
    CHECK(office.suspensions.suspended.empty());
}

TEST_CASE("an import of a unit keeps who administers more than that unit, and only that one's does") {
    Office office(4);
    REQUIRE(office.organisation->add_unit("Gifhorn", store::Batch({store::Family::audit, "x"})));
    office.become(rights::Role::auditor, {}, "p1");
    const auto whole = rights::Administrator{"p2", address(2), rights::Role::administrator, {}, "test", 0, 0};
    REQUIRE(office.administrators->add(whole, store::Batch({store::Family::audit, "x"})));
    office.become(rights::Role::administrator, {"Celle"});
    auto lines = people(4);
    lines.erase(lines.begin(), lines.begin() + 3);
    REQUIRE(office.import(lines, {{"suspend", "1"}}).status == 200);
    CHECK(office.suspensions.suspended == std::vector{address(3)});
    office.become(rights::Role::administrator, {}, "verwalter");
    REQUIRE(office.import(lines, {{"suspend", "3"}}).status == 200);
    // The whole organisation's keeps owners alone.
    CHECK(office.suspensions.suspended == std::vector{address(1), address(2), address(3)});
}

TEST_CASE("whoever has rights in a unit imports that unit: others neither leave by it nor are taken in") {
    Office office(4);
    REQUIRE(office.organisation->add_unit("Gifhorn", store::Batch({store::Family::audit, "x"})));
    office.registry.known[0].unit = office.registry.known[1].unit = "Gifhorn";
    office.become(rights::Role::administrator, {"Celle"});
    auto celle = people(5);
    celle.erase(celle.begin(), celle.begin() + 3);  // 4, and 5 who is new; 3 leaves
    const auto shown = json(office.import(celle, {{"dry_run", "1"}}));
    CHECK(shown["of"] == 2);
    CHECK(shown["suspended"] == 1);
    REQUIRE(office.import(celle, {{"suspend", "1"}}).status == 200);
    CHECK(office.suspensions.suspended == std::vector{address(3)});
    CHECK(office.registry.put == std::vector{address(5)});
    const auto puts = office.registry.put;
    auto taken = celle;
    taken.push_back({address(1), "Meyer", "PK", "Celle", false});  // stands in Gifhorn
    CHECK(json(office.import(taken, {{"suspend", "1"}}))["detail"].get<std::string>().find("not yours to move") !=
          std::string::npos);
    auto given = celle;
    given[0].unit = "Gifhorn";
    CHECK(office.import(given, {{"suspend", "1"}}).status == 400);
    CHECK(office.registry.put == puts);
}
