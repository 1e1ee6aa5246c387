#include "wake/endpoints.hpp"

#include <catch2/catch.hpp>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::wake {
namespace {

struct FixedClock final : Clock {
    Millis at = kDay;
    [[nodiscard]] Millis now() const override { return at; }
    [[nodiscard]] Millis boot() const override { return at; }
};

TEST_CASE("endpoints survive a restart, and go with their device") {
    const std::unique_ptr<store::Store> store = std::make_unique<store::MemoryStore>();
    FixedClock clock;
    SystemRandom random;
    std::vector<DeviceId> devices(2'500);
    {
        Endpoints endpoints(*store, clock);
        REQUIRE(endpoints.load());
        for (auto& device : devices) {
            device = random.id<DeviceId>();
            REQUIRE(endpoints.put(device, "https://push.example/" + to_hex(device.view())));
        }
        REQUIRE(endpoints.erase(devices[0]));
        REQUIRE(endpoints.put(devices[1], ""));
        REQUIRE(endpoints.put(devices[2], "https://push.example/other"));
        // A push service's answer about the former endpoint does not touch the new one.
        REQUIRE(endpoints.erase(devices[2], "https://push.example/" + to_hex(devices[2].view())));
    }
    Endpoints endpoints(*store, clock);
    REQUIRE(endpoints.load());
    CHECK(endpoints.size() == devices.size() - 2);
    CHECK(!endpoints.of(devices[0]));
    CHECK(!endpoints.of(devices[1]));
    CHECK(endpoints.of(devices[2]) == "https://push.example/other");
    CHECK(endpoints.of(devices.back()) == "https://push.example/" + to_hex(devices.back().view()));
}

TEST_CASE("a device changes its endpoint ten times an hour, and the same one again is no change") {
    const std::unique_ptr<store::Store> store = std::make_unique<store::MemoryStore>();
    FixedClock clock;
    Endpoints endpoints(*store, clock);
    const DeviceId device{};
    for (int i = 0; i < 10; ++i) {
        REQUIRE(endpoints.put(device, "https://push.example/" + std::to_string(i)));
        REQUIRE(endpoints.put(device, "https://push.example/" + std::to_string(i)));
    }
    CHECK(endpoints.put(device, "https://push.example/more").error().code == Errc::rate_limited);
    CHECK(endpoints.of(device) == "https://push.example/9");
    clock.at += kHour;
    CHECK(endpoints.put(device, "https://push.example/more"));
}

}  // namespace
}  // namespace nimes::gateway::wake
