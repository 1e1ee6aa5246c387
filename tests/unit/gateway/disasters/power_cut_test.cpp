// The power goes, at every sync in turn. kill -9 keeps the page cache; this does not.
#include "shop.hpp"

using namespace disasters;

TEST_CASE("what was accepted survives a power cut at every sync") {
    const auto tail = GENERATE(BadDisk::Tail::gone, BadDisk::Tail::torn);
    std::size_t cuts = 0, promises = 0;
    for (std::size_t at = 1;; ++at) {
        Shop shop;
        shop.disk().cut_power_at_sync(at);
        shop.work();
        const bool cut = shop.disk().power_is_off();
        INFO("power cut at sync " << at);
        shop.close();
        shop.disk().lose_unsynced(tail);
        shop.judge();
        CHECK(shop.goes_on());
        if (!cut) break;  // the work has no more syncs than that
        ++cuts;
        promises += shop.promised().size();
    }
    CHECK(cuts > 40);
    CHECK(promises > 10 * cuts);
}
