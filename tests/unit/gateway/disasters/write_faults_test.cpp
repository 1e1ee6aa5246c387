// The disk refuses a write, each in turn: an error of the device, or no room. The gateway lives on.
#include "shop.hpp"

using namespace disasters;
using Lasting = BadDisk::Lasting;

namespace {

// Every write of the work in turn. `mended`: what happens between the failure and what must work again.
void each_write_fails(const rocksdb::IOStatus& error, Lasting lasting) {
    std::size_t failures = 0;
    for (std::size_t at = 1;; ++at) {
        Shop shop;
        shop.disk().fail_write(at, error, lasting);
        shop.work();
        if (!shop.disk().has_failed()) break;
        ++failures;
        INFO("write " << at);
        shop.disk().mend();
        bool again = shop.goes_on();
        for (int tries = 0; tries < 3 && !again; ++tries) again = shop.goes_on();
        CHECK(again);
        shop.judge();
    }
    CHECK(failures > 50);
}

}  // namespace

TEST_CASE("one write fails: nothing that was accepted is lost, and the next ones are taken without a restart") {
    each_write_fails(rocksdb::IOStatus::IOError("the device says no"), Lasting::once);
}

TEST_CASE("the disk is full for a while: afterwards all goes on without a restart") {
    each_write_fails(rocksdb::IOStatus::NoSpace("no space left on device"), Lasting::on);
}
