#include "app/config.hpp"

#include <catch2/catch.hpp>
#include <regex>

#include "app/options.hpp"

using namespace nimes;
using namespace nimes::gateway::app;

namespace {

std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string mistakes(const std::string& toml) {
    const auto config = parse_config(toml, "/srv/nimes");
    return config ? "" : config.error().detail;
}

}  // namespace

TEST_CASE("the file that init writes is right as it is, and shows the defaults that hold without it") {
    const auto config = parse_config(config_template("polizei-test"), "/srv/nimes").value();
    CHECK(config.organisation == "polizei-test");
    CHECK(config.http.listen.port == 8443);
    CHECK(config.http.ca == "/srv/nimes/tls/ca.crt");
    CHECK(config.store.path == "/srv/nimes/store");
    CHECK(config.policy.device_hold_seconds == 900);

    // Every commented default, taken into force, changes nothing.
    auto all = std::regex_replace(config_template("polizei-test"), std::regex("\n# ([a-z_]+ = )"), "\n$1");
    REQUIRE(all.find("\nretention_days = 7") != std::string::npos);
    all = std::regex_replace(all, std::regex("\n[a-z_]+ = \"\"(?=\n)"), "");
    const auto explicit_one = parse_config(all, "/srv/nimes").value();
    CHECK(explicit_one.policy.retention_days == config.policy.retention_days);
    CHECK(explicit_one.policy.media_max_bytes == config.policy.media_max_bytes);
    CHECK(explicit_one.store.floor_bytes == config.store.floor_bytes);
    CHECK(explicit_one.store.reserve_bytes == config.store.reserve_bytes);
    CHECK(explicit_one.store.cache_bytes == config.store.cache_bytes);
    CHECK(explicit_one.http.head_seconds == config.http.head_seconds);
    CHECK(explicit_one.http.idle_seconds == config.http.idle_seconds);
    CHECK(explicit_one.admin.socket == config.admin.socket);
    CHECK(explicit_one.operations.log_level == config.operations.log_level);
    CHECK(explicit_one.keys == config.keys);
}

TEST_CASE("further brokers stand behind the first, each with a name and a url of its own") {
    const auto good = config_template("x");
    const std::string second =
        "[[broker.more]]\nname = \"edge-2\"\nurl = \"mqtts://b.example:1\"\nca = \"b.crt\"\n[smtp]";
    const auto brokers = brokers_of(parse_config(with(good, "[smtp]", second), "/srv/nimes").value());
    REQUIRE(brokers.size() == 2);
    CHECK(brokers[0].name == "edge-1");
    CHECK(brokers[1].name == "edge-2");
    CHECK(brokers[1].url == "mqtts://b.example:1");
    CHECK(brokers[1].ca == "/srv/nimes/b.crt");
    CHECK(mistakes(with(good, "[smtp]", with(second, "edge-2", "edge-1"))).find("of its own") != std::string::npos);
    CHECK(mistakes(with(good, "[smtp]", with(second, "ca =", "cafe ="))).find("unknown key cafe") != std::string::npos);
    CHECK(mistakes(with(good, "[smtp]", with(second, "mqtts", "mqtt"))).find("broker.more url must be") !=
          std::string::npos);
    for (const auto* name : {"", "name = \"Edge-2\"\n", "name = \"edge-of-the-woods\"\n", "name = \"edge 2\"\n"})
        CHECK(mistakes(with(good, "[smtp]", with(second, "name = \"edge-2\"\n", name))).find("1 to 16 of a-z") !=
              std::string::npos);
    const auto dial = with(second, "ca =", "dial = \"mqtts://broker.example:8883\"\nca =");
    CHECK(mistakes(with(good, "[smtp]", dial)).find("(and a dial) of its own") != std::string::npos);
}

TEST_CASE("what [pilot] leaves out is as [policy] says") {
    auto text = with(config_template("x"), "# units = []", "units = [\"Celle\"]\nexport_allowed = true");
    text = with(text, "# viewer_allowed = true", "viewer_allowed = false");
    const auto pilot = told_pilot(parse_config(text, "/").value());
    CHECK(pilot.export_allowed());
    CHECK_FALSE(pilot.viewer_allowed());
    CHECK(pilot.history_allowed());
}

TEST_CASE("what units in pilot may do, and the newer words of policy") {
    const auto good = config_template("x");
    const auto config = parse_config(with(good, "# units = []", "units = [\"Celle\", \"Gifhorn\"]"), "/").value();
    CHECK(config.pilot.units == std::vector<std::string>{"Celle", "Gifhorn"});
    CHECK(mistakes(with(good, "# units = []", "units = \"Celle\"")).find("list of strings") != std::string::npos);
    CHECK(
        mistakes(with(good, "[policy]", "[policy]\nfurther_device = \"nobody\"")).find("\"voucher\" or \"approval\"") !=
        std::string::npos);
    CHECK(mistakes(with(good, "[policy]", "[policy]\nminimum_agent = \"newest\"")).find("must be a version") !=
          std::string::npos);
}

TEST_CASE("every mistake is named with its line, all at once") {
    const auto good = config_template("x");
    CHECK(mistakes(with(good, "[policy]", "[policy]\nretention_day = 7")).find("unknown key policy.retention_day") !=
          std::string::npos);
    CHECK(mistakes(with(good, "[policy]", "[policies]")).find("unknown section [policies]") != std::string::npos);
    CHECK(mistakes(with(good, "organisation", "organization")).find("unknown key organization") != std::string::npos);
    CHECK(mistakes(with(good, "\"0.0.0.0:8443\"", "8443")).find("http.listen must be") != std::string::npos);
    CHECK(mistakes(with(good, "[policy]", "[policy]\nretention_days = 91")).find("1 to 90") != std::string::npos);
    CHECK(mistakes(with(good, "[policy]", "[policy]\nexport_allowed = \"yes\"")).find("true or false") !=
          std::string::npos);
    CHECK(mistakes(with(good, "https://gateway.example:8443", "https://gateway.example")).find("with the port") !=
          std::string::npos);
    CHECK(mistakes(with(good, "mqtts://broker.example:8883", "mqtt://broker.example:1883")).find("broker.url") !=
          std::string::npos);
    CHECK(mistakes(with(good, "\"nimes@police.example\"", "\"nimes <nimes@police.example>\""))
              .find("smtp.sender must be") != std::string::npos);
    CHECK(mistakes(with(good, "\"smtp://", "\"http://")).find("smtp.url must be") != std::string::npos);
    CHECK(mistakes("organisation = ").find("line 1") != std::string::npos);
    CHECK(mistakes("").find("organisation is missing") != std::string::npos);
    const auto two = mistakes(with(with(good, "[policy]", "[policy]\na = 1"), "[store]", "[store]\nb = 2"));
    CHECK((two.find("policy.a") != std::string::npos && two.find("store.b") != std::string::npos));
}
