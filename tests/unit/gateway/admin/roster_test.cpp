#include "admin/csv.hpp"

#include <catch2/catch.hpp>

#include "admin/organisation.hpp"
#include "store/memory_store.hpp"

using namespace nimes;
using namespace nimes::gateway::admin;

namespace {

const RosterRules kRules{{"polizei.example"}, {"Celle", "Gifhorn"}};

Result<std::vector<PersonFields>> parse_roster(std::string_view csv, const RosterRules& rules) {
    CsvRoster source(csv);
    return read_roster(source, rules);
}

std::string refusal(const std::string& csv) {
    const auto people = parse_roster(csv, kRules);
    return people ? "" : people.error().detail;
}

}  // namespace

TEST_CASE("a roster as office programs write it") {
    for (const char* csv : {"address,name,rank,unit\na.meyer@polizei.example,\"Meyer, Anna\",PHK,Celle\n",
                            "\xef\xbb\xbf"
                            "ADDRESS;Name;Rank;Unit\r\nA.Meyer@Polizei.Example;Meyer, Anna;PHK;Celle\r\n",
                            "unit,rank,name,address,more\nCelle,PHK,\"Meyer, Anna\",a.meyer@polizei.example,x"}) {
        const auto people = parse_roster(csv, kRules);
        REQUIRE(people);
        REQUIRE(people->size() == 1);
        CHECK(people->at(0).address.text() == "a.meyer@polizei.example");
        CHECK(people->at(0).name == "Meyer, Anna");
        CHECK(people->at(0).rank == "PHK");
        CHECK(people->at(0).unit == "Celle");
    }
}

TEST_CASE("every wrong line is named, by number and fault and never by what it says") {
    const auto text = refusal(
        "address,name,unit\n"
        "x@y@polizei.example,Zwei,Celle\n"
        "eve@elsewhere.example,Fremd,Celle\n"
        "eve@sub.polizei.example,Unter,Celle\n"
        "gut@polizei.example,Gut,Celle\n"
        "ort@polizei.example,Ort,Nirgends\n"
        "leer@polizei.example,,Celle\n"
        "gut@polizei.example,Nochmal,Celle\n"
        "kurz@polizei.example,Kurz\n");
    for (const char* part : {"line 2: the address is not one", "line 3: the address is of a foreign domain",
                             "line 4: the address is of a foreign domain", "line 6: the unit is unknown",
                             "line 7: the name", "line 8: the address stands twice", "line 9: not as many"})
        CHECK(text.find(part) != std::string::npos);
    CHECK(text.find("line 5") == std::string::npos);
    for (const char* word : {"eve", "Fremd", "Nirgends", "polizei"}) CHECK(text.find(word) == std::string::npos);
}

TEST_CASE("broken files: quotes, headers, bytes that are no text, too many mistakes to show") {
    CHECK(refusal("address,name,unit\na@polizei.example,\"Meyer,Celle\n").find("not closed") != std::string::npos);
    CHECK(refusal("address,name,unit\na@polizei.example,Me\"yer,Celle\n").find("line 2") != std::string::npos);
    CHECK(refusal("address,name,unit\na@polizei.example,\"Meyer\"x,Celle\n").find("line 2") != std::string::npos);
    CHECK(refusal("name,unit\nx,Celle\n").find("no column address") != std::string::npos);
    CHECK(refusal("address,address,name,unit\n").find("twice") != std::string::npos);
    CHECK(refusal("").find("no header") != std::string::npos);
    CHECK(refusal("address,name,unit\na@polizei.example,Me\x1b[2Jyer,Celle\n").find("UTF-8") != std::string::npos);
    CHECK(refusal("address,name,unit\na@polizei.example,Me\xc3yer,Celle\n").find("UTF-8") != std::string::npos);
    std::string many = "address,name,unit\n";
    for (int i = 0; i < 1'010; ++i) many += "bad,x,Celle\n";
    CHECK(refusal(many).find("line 1001:") != std::string::npos);
    CHECK(refusal(many).find("and 10 more") != std::string::npos);
    CHECK(parse_roster(std::string(kMaxRosterBytes + 1, 'x'), kRules).error().code == Errc::too_large);
}

TEST_CASE("quoted fields may hold separators, quotes and line ends") {
    const auto records = parse_csv("a,\"b,\"\"c\"\"\nd\",e\nf,g,h").value();
    REQUIRE(records.size() == 2);
    CHECK(records[0].fields == std::vector<std::string>{"a", "b,\"c\"\nd", "e"});
    CHECK(records[1].line == 3);
}

TEST_CASE("one organisation, its domain compared by equality, its units each once; all of it after a restart") {
    gateway::store::MemoryStore store;
    const auto row = [] { return gateway::store::Batch({gateway::store::Family::audit, "log"}); };
    auto org = Organisation::open(store).value();
    CHECK(org->add_unit("Celle", row()).error().code == Errc::not_found);
    CHECK(org->create("Polizei", "polizei", row()).error().code == Errc::bad_address);
    CHECK(org->create("", "polizei.example", row()).error().code == Errc::malformed);
    REQUIRE(org->create("Polizei", "Polizei.Example", row()));
    CHECK(org->create("Andere", "andere.example", row()).error().code == Errc::exists);
    REQUIRE(org->add_unit("Celle", row()));
    CHECK(org->add_unit("Celle", row()).error().code == Errc::exists);
    CHECK(org->add_unit("Ce\nlle", row()).error().code == Errc::malformed);
    org = Organisation::open(store).value();
    CHECK(org->has_domain("polizei.example"));
    CHECK_FALSE(org->has_domain("x.polizei.example"));
    CHECK(org->rules().units == std::vector<std::string>{"Celle"});
}
