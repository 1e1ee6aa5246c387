#include "operations/health.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::gateway::operations;

TEST_CASE("readyz is 503 as soon as one check fails, and says which to people only") {
    Health health;
    bool linked = false;
    health.add("store", [] { return Result<void>(); });
    health.add("broker", [&]() -> Result<void> {
        if (!linked) return fail(Errc::unavailable, "not linked");
        return {};
    });

    const auto bad = health.readyz(true);
    CHECK(bad.status == 503);
    CHECK(bad.body == "[+] store\n[-] broker: ERR_UNAVAILABLE: not available now: not linked\nnot ready\n");
    CHECK(health.readyz(false).body == "not ready\n");
    CHECK(health.livez(false).status == 200);

    linked = true;
    CHECK(health.readyz(false).status == 200);
    CHECK(health.readyz(true).body == "[+] store\n[+] broker\nok\n");
}
