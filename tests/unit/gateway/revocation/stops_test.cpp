// The process ends, or the store fails, at every point of an order in turn; the next start brings it to its end, once.
#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::revocation;

namespace {

const std::vector<DeviceId> kBoth{device(11), device(13)};

// Until it is done, through as many deaths as it takes. False: the order was never given.
bool live(World& w, Kind kind, int& deaths) {
    bool asked = false, given = false;
    for (int i = 0; i < 20; ++i) try {
            if (!asked) {
                asked = true;
                given = w.runner->order(w.draft(kind, kBoth)).has_value();
            }
            w.settle();
            break;
        } catch (const Death&) {
            ++deaths;
            w.start();
        }
    return given || w.runner->find(1).value().has_value();
}

void check_whole(World& w, Kind kind, std::size_t most) {
    const auto order = w.runner->find(1).value().value();
    CHECK(order.ended != 0);
    CHECK(order.complete());
    CHECK_FALSE(w.runner->find(2).value());
    CHECK(w.acts() == std::vector<std::string>{std::string(name(kind))});
    CHECK(w.audit->head().seq == 1);
    for (const auto& target : order.targets)
        for (std::size_t i = 0; i < kSteps; ++i) {
            const auto step = static_cast<Step>(i);
            INFO(name(step));
            CHECK(target.has(step) == order.wants(target, step));
            if (step == Step::broker_told || step == Step::broker_obeyed || step == Step::chains_listed) continue;
            const auto n = w.calls(step, target.subject.id[0]);
            CHECK(n >= (order.wants(target, step) ? 1U : 0U));
            CHECK(n <= (order.wants(target, step) ? most : 0U));
        }
}

}  // namespace

TEST_CASE("a death before and after the effect of each step in turn: every step is confirmed, at most one done twice") {
    for (const auto kind : {Kind::revoke, Kind::suspend})
        for (const bool before : {true, false})
            for (std::size_t n = 1;; ++n) {
                INFO(name(kind) << ", act " << n << (before ? ", before" : ", after"));
                World w;
                w.hands.dies_at = n;
                w.hands.dies_before = before;
                int deaths = 0;
                REQUIRE(live(w, kind, deaths));
                // What died before its effect was never done twice.
                check_whole(w, kind, before ? 1 : 2);
                if (deaths == 0) {
                    CHECK(n > 4);
                    break;
                }
                CHECK(deaths == 1);
            }
}

TEST_CASE("a death at each commit in turn: the order is whole, with its entry in the audit, or was never given") {
    for (const auto how : {FailingStore::How::dies_before, FailingStore::How::dies_after})
        for (std::size_t n = 1;; ++n) {
            INFO("commit " << n << (how == FailingStore::How::dies_before ? ", before" : ", after"));
            World w;
            w.store.how = how;
            w.store.at = n;
            int deaths = 0;
            const bool given = live(w, Kind::revoke, deaths);
            if (given) check_whole(w, Kind::revoke, 2);
            CHECK(given == (n != 1 || how == FailingStore::How::dies_after));
            if (!given) {
                CHECK(w.hands.order.empty());
                CHECK(w.acts().empty());
            }
            if (deaths == 0) {
                CHECK(n > 10);
                break;
            }
        }
}

TEST_CASE("a store that refuses one commit in turn: nothing is lost, nothing is counted that is not stored") {
    for (std::size_t n = 1;; ++n) {
        INFO("commit " << n);
        World w;
        w.store.how = FailingStore::How::refuses;
        w.store.at = n;
        const auto given = w.runner->order(w.draft(Kind::revoke, kBoth));
        w.settle();
        if (n == 1) {
            CHECK_FALSE(given);
            CHECK_FALSE(w.runner->find(1).value());
            CHECK(w.hands.order.empty());
            continue;
        }
        check_whole(w, Kind::revoke, 2);
        // What a start reads is what was said.
        w.start();
        w.settle();
        check_whole(w, Kind::revoke, 2);
        if (w.store.commits < n) break;
    }
}
