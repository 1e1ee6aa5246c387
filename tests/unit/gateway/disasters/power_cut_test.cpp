// The power goes, at every sync in turn. kill -9 keeps the page cache; this does not.
#include "shop.hpp"

using namespace disasters;

namespace {

void cut_at_every_sync(BadDisk::Tail tail) {
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
        CHECK(shop.go_on());
        if (!cut) break;  // the work has no more syncs than that
        ++cuts;
        promises += shop.promised().size();
    }
    INFO(cuts << " cuts, " << promises << " promises");
    CHECK(cuts > 40);
    CHECK(promises > 8 * cuts);
}

}  // namespace

TEST_CASE("what was accepted survives a power cut at every sync") { cut_at_every_sync(BadDisk::Tail::gone); }

TEST_CASE("the same where half of what was not synced is left: a torn tail of the log", "[.everywhere]") {
    cut_at_every_sync(BadDisk::Tail::torn);
}
