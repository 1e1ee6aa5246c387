// The power goes, at every sync in turn. kill -9 keeps the page cache; this does not.
#include "shop.hpp"

using namespace disasters;

namespace {

void cut_at_syncs(BadDisk::Tail tail, std::size_t step) {
    std::size_t cuts = 0, promises = 0;
    for (std::size_t at = 1;; at += step) {
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
    CHECK(cuts * step > 40);
    CHECK(promises > 8 * cuts);
}

}  // namespace

// Every third: with sanitizers each costs a second.
TEST_CASE("what was accepted survives a power cut at syncs throughout the work") {
    cut_at_syncs(BadDisk::Tail::gone, 3);
}

TEST_CASE("what was accepted survives a power cut at every sync", "[.everywhere]") {
    cut_at_syncs(BadDisk::Tail::gone, 1);
}

TEST_CASE("the same where half of what was not synced is left: a torn tail of the log", "[.everywhere]") {
    cut_at_syncs(BadDisk::Tail::torn, 1);
}
