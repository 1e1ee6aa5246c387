#include "identity/admission.hpp"

#include <catch2/catch.hpp>

#include "edge.hpp"

using namespace nimes;
using namespace nimes::plugin;
using namespace nimes::test;

namespace {

struct Door : Edge {
    Device anna{11}, bert{12};
    MirrorTable mirror;
    Admission admission{options, clock.wall};

    Door() { mirror.apply(full({item(anna)})); }
    // The refusal, or nothing when admitted.
    std::optional<Refusal> knock(const Connect& c) {
        const auto verdict = admission.judge(c, mirror, clock.wall);
        return verdict.who ? std::nullopt : std::optional(verdict.refusal);
    }
};

}  // namespace

TEST_CASE("a known device with a fresh token enters, once per token", "[admission]") {
    Door d;
    const auto token = d.token(d.anna);
    CHECK_FALSE(d.knock(connect(d.anna.text, token)));
    CHECK(d.knock(connect(d.anna.text, token)) == Refusal::replayed);
    d.clock.advance(119 * kSecond);
    CHECK(d.knock(connect(d.anna.text, token)) == Refusal::replayed);
    d.clock.advance(2 * kSecond);
    CHECK(d.knock(connect(d.anna.text, token)) == Refusal::expired);
    CHECK_FALSE(d.knock(connect(d.anna.text, d.token(d.anna))));
}

TEST_CASE("everybody else stays outside, for the reason that guards just that", "[admission]") {
    Door d;
    const auto good = [&] { return connect(d.anna.text, ""); };
    std::string token = d.token(d.anna);
    auto c = good();
    c.password = token;
    SECTION("old protocols") {
        c.protocol_version = 4;
        CHECK(d.knock(c) == Refusal::protocol);
    }
    SECTION("keepalives that never end") {
        c.keepalive = 0;
        CHECK(d.knock(c) == Refusal::keepalive);
        c.keepalive = 65'535;
        CHECK(d.knock(c) == Refusal::keepalive);
    }
    SECTION("nobody, or somebody without a token") {
        c.username = std::nullopt;
        CHECK(d.knock(c) == Refusal::identity);
        c.username = c.client_id;
        c.password = std::nullopt;
        CHECK(d.knock(c) == Refusal::token);
    }
    SECTION("another's client id") {
        c.client_id = d.bert.text;
        CHECK(d.knock(c) == Refusal::identity);
        c.client_id = "";
        CHECK(d.knock(c) == Refusal::identity);
    }
    SECTION("names with wildcards, slashes, upper case") {
        for (const std::string_view bad :
             {"+", "#", "a/b", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaaaaaaaaaaaa+"}) {
            c.client_id = bad;
            c.username = bad;
            CHECK(d.knock(c) == Refusal::identity);
        }
    }
    SECTION("another's token") {
        token = d.token(d.bert);
        c.password = token;
        CHECK(d.knock(c) == Refusal::token);
    }
    SECTION("a token for this device by another key") {
        token = d.token(d.bert.key, d.anna.id, d.clock.wall);
        c.password = token;
        CHECK(d.knock(c) == Refusal::token);
    }
    SECTION("another edge's token, and the gateway's HTTPS") {
        token = d.token(d.anna.key, d.anna.id, d.clock.wall, "mqtts://other.example:8883");
        c.password = token;
        CHECK(d.knock(c) == Refusal::audience);
        token = d.token(d.anna.key, d.anna.id, d.clock.wall, "https://edge.example:8883");
        c.password = token;
        CHECK(d.knock(c) == Refusal::audience);
    }
    SECTION("tokens from before the plugin's start") {
        token = d.token(d.anna.key, d.anna.id, d.clock.wall - 5'001);
        c.password = token;
        CHECK(d.knock(c) == Refusal::before_start);
        token = d.token(d.anna.key, d.anna.id, d.clock.wall - 5'000);
        c.password = token;
        CHECK_FALSE(d.knock(c));
    }
    SECTION("tokens from the future") {
        token = d.token(d.anna.key, d.anna.id, d.clock.wall + 121'000);
        c.password = token;
        CHECK(d.knock(c) == Refusal::expired);
    }
    SECTION("unknown, suspended, revoked, out of date") {
        token = d.token(d.bert);
        CHECK(d.knock(connect(d.bert.text, token)) == Refusal::unknown);
        d.mirror.apply(d.full({d.item(d.anna), d.item(d.bert, MirrorState::suspended)}));
        CHECK(d.knock(connect(d.bert.text, token)) == Refusal::suspended);
        d.mirror.apply(d.full({d.item(d.anna), d.item(d.bert, MirrorState::revoked)}));
        CHECK(d.knock(connect(d.bert.text, token)) == Refusal::revoked);
        auto early = d.item(d.bert);
        early.not_before = d.clock.wall + 1;
        d.mirror.apply(d.full({early}));
        CHECK(d.knock(connect(d.bert.text, token)) == Refusal::dates);
        early = d.item(d.bert);
        early.not_after = d.clock.wall;
        d.mirror.apply(d.full({early}));
        CHECK(d.knock(connect(d.bert.text, token)) == Refusal::dates);
    }
    SECTION("a mirror that nobody refreshed for a day") {
        d.clock.advance(24 * kHour + 1);
        token = d.token(d.anna);
        c.password = token;
        CHECK(d.knock(c) == Refusal::mirror);
    }
    SECTION("no mirror at all") {
        const MirrorTable empty;
        CHECK(d.admission.judge(c, empty, d.clock.wall).refusal == Refusal::mirror);
    }
}

TEST_CASE("the gateway enters by its pinned key alone, also without a mirror", "[admission]") {
    Door d;
    const MirrorTable empty;
    const auto id = d.gateway_text + "-1";
    const auto judge = [&](std::string_view client, const std::string& token) {
        const Connect c{client, d.gateway_text, token, 5, 60};
        return d.admission.judge(c, empty, d.clock.wall);
    };
    CHECK(judge(id, d.gateway_token()).who == Who{true, key_actor(d.gateway.public_key)});
    for (const auto* suffix : {"", "-", "-x", "-1234", "1", "-1/"})
        CHECK_FALSE(judge(d.gateway_text + suffix, d.gateway_token()).who);
    CHECK_FALSE(judge(id, d.token(d.anna.key, key_actor(d.gateway.public_key), d.clock.wall)).who);
}
