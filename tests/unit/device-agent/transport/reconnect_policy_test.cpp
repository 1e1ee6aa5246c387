#include "transport/reconnect_policy.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "transport/mqtt_session.hpp"

namespace nimes::agent::transport {
namespace {

// Repeats what it was given.
class Given final : public RandomSource {
  public:
    explicit Given(std::uint64_t value) : value_(value) {}
    void fill(std::span<std::uint8_t> out) override {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(value_ >> (8 * (7 - i % 8)));
    }

  private:
    std::uint64_t value_;
};

Millis widest(ReconnectPolicy& policy, SystemRandom& random) {
    Millis out = 0;
    for (int i = 0; i < 2'000; ++i) {
        auto copy = policy;
        out = std::max(out, copy.after_failure(random));
    }
    return out;
}

TEST_CASE("the window doubles with each failure up to its limit, and the wait is anywhere in it") {
    SystemRandom random;
    ReconnectPolicy policy({2'000, 300'000, 30'000});
    for (const Millis window : {2'000u, 4'000u, 8'000u, 16'000u, 32'000u, 64'000u, 128'000u, 256'000u, 300'000u}) {
        const auto most = widest(policy, random);
        CHECK(most <= window);
        CHECK(most > window * 9 / 10);
        (void)policy.after_failure(random);
    }
    for (int i = 0; i < 5'000; ++i) CHECK(policy.after_failure(random) <= 300'000);  // no overflow, no end
}

TEST_CASE("a connection that lived long begins anew, one that flapped does not") {
    SystemRandom random;
    ReconnectPolicy policy({2'000, 300'000, 30'000});
    for (int i = 0; i < 8; ++i) (void)policy.after_failure(random);
    (void)policy.after_disconnect(29'999, random);
    CHECK(policy.failures() == 9);
    CHECK(policy.after_disconnect(30'000, random) <= 2'000);
    CHECK(policy.failures() == 1);
}

TEST_CASE("the server's spread widens the next wait and only that") {
    Given most(300'000);
    ReconnectPolicy policy({2'000, 300'000, 30'000});
    policy.spread(600'000);
    CHECK(policy.after_disconnect(kHour, most) == 300'000);
    CHECK(policy.after_disconnect(kHour, most) <= 2'000);
    SystemRandom random;
    policy.spread(UINT64_MAX);
    CHECK(policy.after_disconnect(kHour, random) <= kHour);
}

TEST_CASE("uniform reaches both ends and nothing beyond") {
    SystemRandom random;
    bool seen[4] = {};
    for (int i = 0; i < 1'000; ++i) {
        const auto drawn = uniform(3, random);
        REQUIRE(drawn <= 3);
        seen[drawn] = true;
    }
    CHECK(std::ranges::all_of(seen, [](bool it) { return it; }));
    CHECK(uniform(0, random) == 0);
    (void)uniform(UINT64_MAX, random);
}

TEST_CASE("devices spread evenly over brokers and move little when one is added") {
    const std::vector<std::string> three = {"mqtts://a:8883", "mqtts://b:8883", "mqtts://c:8883"};
    auto four = three;
    four.emplace_back("mqtts://d:8883");
    SystemRandom random;
    int at_a = 0, moved = 0;
    for (int i = 0; i < 2'000; ++i) {
        const auto device = random.id<DeviceId>();
        const auto before = broker_order(three, device), after = broker_order(four, device);
        if (before.front() == three[0]) ++at_a;
        if (before.front() != after.front()) {
            ++moved;
            CHECK(after.front() == four[3]);
        }
        auto shuffled = three;
        std::ranges::reverse(shuffled);
        CHECK(broker_order(shuffled, device) == before);
    }
    CHECK(std::abs(at_a - 667) < 150);
    CHECK(std::abs(moved - 500) < 150);
}

}  // namespace
}  // namespace nimes::agent::transport
