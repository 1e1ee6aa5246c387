// The disk refuses a write, each in turn: an error of the device, or no room. The gateway lives on.
#include "shop.hpp"

using namespace disasters;
using Lasting = BadDisk::Lasting;

namespace {

// Every `step`-th write of the work.
void writes_fail(std::size_t step, const rocksdb::IOStatus& error, Lasting lasting) {
    std::size_t writes = 0;
    for (std::size_t at = 1;; at += step) {
        Shop shop;
        shop.disk().fail_write(at, error, lasting);
        shop.work();
        if (!shop.disk().has_failed()) break;
        writes = at;
        INFO("write " << at);
        shop.disk().mend();
        (void)shop.go_on();  // the first repeat may still meet what is broken
        const auto again = shop.go_on();
        INFO((again ? "" : again.error().text()));
        CHECK(again);
        shop.judge();
    }
    CHECK(writes > 200);
}

constexpr std::size_t kSome = 13;  // no divisor of the work's rhythm

void device_says_no(std::size_t step) { writes_fail(step, rocksdb::IOStatus::IOError("I/O error"), Lasting::once); }
void disk_is_full(std::size_t step) { writes_fail(step, rocksdb::IOStatus::NoSpace("no space left"), Lasting::on); }

}  // namespace

TEST_CASE("one write fails: nothing that was accepted is lost, and the next ones are taken without a restart") {
    device_says_no(kSome);
}

TEST_CASE("the disk is full for a while: afterwards all goes on without a restart") { disk_is_full(kSome); }

TEST_CASE("each write fails once", "[.everywhere]") { device_says_no(1); }

TEST_CASE("the disk gets full at each write", "[.everywhere]") { disk_is_full(1); }
