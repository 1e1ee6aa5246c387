// What people type to name somebody.
#include "directory/who.hpp"

#include <catch2/catch.hpp>

using namespace nimes::agent::directory;

namespace {

std::vector<std::pair<std::string, std::string>> asked(std::string_view who) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& q : name_queries(who)) out.emplace_back(q.name, q.unit);
    return out;
}

using Asked = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("an address is told from a name by its @") {
    CHECK(is_address("a.meyer@police.example"));
    CHECK_FALSE(is_address("Meyer"));
    CHECK_FALSE(is_address("Meyer, Celle"));
}

TEST_CASE("a name is a prefix; behind its last comma stands a unit, or the rest of the name") {
    CHECK(asked(" Mey ") == Asked{{"Mey", ""}});
    CHECK(asked("Meyer, Celle") == Asked{{"Meyer", "Celle"}, {"Meyer, Celle", ""}});
    CHECK(asked("Meyer, Anna, Celle") == Asked{{"Meyer, Anna", "Celle"}, {"Meyer, Anna, Celle", ""}});
}
