#include "sealing/rotation.hpp"
#include "devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

TEST_CASE("a chain is replaced for each reason alone, and for none it stays") {
    Pair p;
    const auto chain = p.chain();
    CHECK(must_rotate(chain, {}, false, p.now).empty());
    CHECK_FALSE(must_rotate(chain, {.user_removed = true}, false, p.now).empty());
    CHECK_FALSE(must_rotate(chain, {.granted_device_gone = true}, false, p.now).empty());
    CHECK_FALSE(must_rotate(chain, {.clone_alarm = true}, false, p.now).empty());
    CHECK_FALSE(must_rotate(chain, {.forked = true}, false, p.now).empty());
    CHECK(must_rotate(chain, {}, false, p.now + kDay - 1).empty());
    CHECK_FALSE(must_rotate(chain, {}, false, p.now + kDay).empty());
    const SinceOpened peer{.peer_chain_opened = p.now + 1};
    CHECK(must_rotate(chain, peer, true, p.now + 10 * kMinute - 1).empty());
    CHECK_FALSE(must_rotate(chain, peer, true, p.now + 10 * kMinute).empty());
    CHECK(must_rotate(chain, peer, false, p.now + 10 * kMinute).empty());  // groups do not play ping-pong
    auto full = p.chain();
    full.index = full.max_index + 1;
    CHECK_FALSE(must_rotate(full, {}, false, p.now).empty());
}

TEST_CASE("32 day keys, one a UTC day, signed, with private halves that fit") {
    Pair p;
    REQUIRE(p.bernd_keys.size() == 32);
    for (std::size_t i = 0; i < p.bernd_keys.size(); ++i) {
        const auto& key = p.bernd_keys[i];
        CHECK(check_seal_key(key.record, p.bernd_key.public_key, p.now));
        CHECK(key.record.key_id == i + 1);
        CHECK(utc_day(key.record.not_before) == utc_day(p.now) + i);
        CHECK(OwnSealKey::parse(key.encode())->encode() == key.encode());
    }
}
