#include "operations/log.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

using namespace nimes;
using namespace nimes::gateway::operations;

namespace {

struct FixedClock final : Clock {
    Millis now() const override { return 1'795'442'706'789; }
    Millis boot() const override { return 0; }
};

std::vector<nlohmann::json> lines(const std::ostringstream& out) {
    std::vector<nlohmann::json> parsed;
    std::istringstream in(out.str());
    for (std::string line; std::getline(in, line);) parsed.push_back(nlohmann::json::parse(line));
    return parsed;
}

}  // namespace

TEST_CASE("a line is one JSON object with time, level, event and typed fields") {
    const FixedClock clock;
    std::ostringstream out;
    Log log(clock, Level::info, out);
    log.debug("unseen");
    log.info("store_opened", {{"families", 8}, {"seconds", 0.5}, {"fresh", true}, {"code", "ERR_X"}});
    CHECK(out.str() ==
          R"({"ts":"2026-11-23T14:05:06.789Z","level":"info","event":"store_opened","families":8,"seconds":0.5,)"
          R"("fresh":true,"code":"ERR_X"})"
          "\n");
}

TEST_CASE("nothing in a field breaks the line") {
    const FixedClock clock;
    std::ostringstream out;
    Log log(clock, Level::debug, out);
    log.warning("odd", {{"text", "a\"b\n\x01{}%v"}, {"bytes", std::string_view("\xff\xfe", 2)}});
    const auto parsed = lines(out);
    REQUIRE(parsed.size() == 1);
    CHECK(parsed[0]["text"] == "a\"b\n\x01{}%v");
    CHECK(parsed[0]["bytes"] == "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("errors are counted also below the threshold's noise, and the threshold can move") {
    const FixedClock clock;
    std::ostringstream out;
    Log log(clock, Level::error, out);
    int errors = 0;
    log.on_error([&] { ++errors; });
    log.warning("quiet");
    log.error("fault");
    CHECK(errors == 1);
    log.set_threshold(Level::warning);
    log.warning("heard");
    CHECK(lines(out).size() == 2);
}

TEST_CASE("lines of many threads are whole") {
    const FixedClock clock;
    std::ostringstream out;
    Log log(clock, Level::info, out);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&log, t] {
            for (int i = 0; i < 200; ++i) log.info("line", {{"thread", t}, {"number", i}});
        });
    for (auto& thread : threads) thread.join();
    CHECK(lines(out).size() == 800);
}
