#include "wake/waker.hpp"

#include <atomic>
#include <catch2/catch.hpp>

#include "nimes/crypto.hpp"
#include "push_service.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::wake {
namespace {

using namespace nimes::test;

struct TestClock final : Clock {
    SystemClock system;
    std::atomic<Millis> ahead = 0;
    [[nodiscard]] Millis now() const override { return system.now() + ahead; }
    [[nodiscard]] Millis boot() const override { return system.boot() + ahead; }
};

struct World {
    PushService push;
    TestClock clock;
    SystemRandom random;
    std::unique_ptr<store::Store> store = std::make_unique<store::MemoryStore>();
    operations::Metrics metrics{"test", "test"};
    operations::Log log{clock, operations::Level::error};
    Endpoints endpoints{*store, clock};
    Waker::Options options;
    std::unique_ptr<Waker> waker;

    World() {
        options.rules = {true, true};
        options.timeout = 2 * kSecond;
    }
    void start() {
        waker = std::make_unique<Waker>(Waker::Needs{endpoints, clock, metrics, log}, options);
        waker->start();
    }
    DeviceId device(const std::string& url) {
        const auto out = random.id<DeviceId>();
        REQUIRE(endpoints.put(out, url));
        return out;
    }
    [[nodiscard]] bool counted(const std::string& result, int n) const {
        return metrics.text().find("nimes_wakes_total{result=\"" + result + "\"} " + std::to_string(n) + "\n") !=
               std::string::npos;
    }
};

TEST_CASE("a wake-up is a POST that says nothing") {
    World world;
    world.start();
    const auto device = world.device(world.push.at("/up/abc?token=x"));
    for (int i = 0; i < 20; ++i) world.waker->waits(device);
    world.waker->waits(world.random.id<DeviceId>());  // one that named no endpoint
    REQUIRE(soon([&] { return world.counted("sent", 1); }));
    const auto requests = world.push.requests();
    REQUIRE(requests.size() == 1);
    const auto& request = requests.front();
    INFO(request);
    CHECK(request.find("\"method\": \"POST\"") != std::string::npos);
    CHECK(request.find("\"path\": \"/up/abc?token=x\"") != std::string::npos);
    CHECK(request.find("\"body\": \"\"") != std::string::npos);
    CHECK(request.find("\"content-length\": \"0\"") != std::string::npos);
    CHECK(request.find("\"ttl\": \"86400\"") != std::string::npos);
    CHECK(request.find("\"urgency\": \"high\"") != std::string::npos);
    for (const char* telling : {"cookie", "authorization", "referer", "user-agent"})
        CHECK(request.find(telling) == std::string::npos);
}

TEST_CASE("not again before its time, and then again") {
    World world;
    world.start();
    const auto device = world.device(world.push.at("/up/a"));
    world.waker->waits(device);
    REQUIRE(soon([&] { return world.counted("sent", 1); }));
    world.waker->came(device);
    world.waker->waits(device);
    const auto other = world.device(world.push.at("/up/b"));
    world.waker->waits(other);
    REQUIRE(soon([&] { return world.counted("sent", 2); }));
    CHECK(world.push.requests_to("/up/a") == 1);
    world.clock.ahead += 2 * kMinute;
    world.waker->waits(device);
    CHECK(soon([&] { return world.push.requests_to("/up/a") == 2; }));
}

TEST_CASE("an endpoint that the push service does not know is forgotten") {
    const auto* path = GENERATE("/gone/a", "/status/404/a");
    World world;
    world.start();
    const auto device = world.device(world.push.at(path));
    world.waker->waits(device);
    CHECK(soon([&] { return !world.endpoints.of(device); }));
    CHECK(soon([&] { return world.counted("gone", 1); }));
}

TEST_CASE("another failure is no reason to forget, and is tried again later") {
    const auto* path = GENERATE("/status/500/a", "/status/429/a", "/status/403/a");
    World world;
    world.start();
    const auto device = world.device(world.push.at(path));
    world.waker->waits(device);
    REQUIRE(soon([&] { return world.counted("failed", 1); }));
    CHECK(world.endpoints.of(device));
    world.clock.ahead += 2 * kMinute;
    world.waker->came(world.random.id<DeviceId>());
    const auto other = world.device(world.push.at("/up/b"));
    world.waker->waits(other);  // looks at the clock again
    CHECK(soon([&] { return world.push.requests_to(path) == 2; }));
}

TEST_CASE("slow push services hold up nobody for longer than their time") {
    World world;
    world.options.parallel = 4;
    world.start();
    for (int i = 0; i < 8; ++i) world.waker->waits(world.device(world.push.at("/slow/" + std::to_string(i))));
    world.waker->waits(world.device(world.push.at("/up/quick")));
    CHECK(soon([&] { return world.counted("sent", 1) && world.counted("failed", 8); }));
}

TEST_CASE("a redirect is not followed") {
    World world;
    world.start();
    world.waker->waits(world.device(world.push.at("/redirect/a")));
    REQUIRE(soon([&] { return world.counted("failed", 1); }));
    CHECK(world.push.requests_to("/redirect/a") == 1);
    CHECK(world.push.requests_to("/up/redirected") == 0);
}

TEST_CASE("an answer without an end is not read, and counts by its status") {
    World world;
    world.options.timeout = kMinute;  // it is the bytes that end it
    world.start();
    world.waker->waits(world.device(world.push.at("/huge/a")));
    CHECK(soon([&] { return world.counted("sent", 1); }));
}

TEST_CASE("nothing is posted inside, neither by address nor by a name that means one") {
    const auto* host = GENERATE("127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]");
    World world;
    world.options.rules.allow_private = false;
    world.start();
    world.waker->waits(world.device(world.push.at("/up/inside", host)));
    REQUIRE(soon([&] { return world.counted("refused_address", 1); }));
    CHECK(world.push.requests().empty());
}

TEST_CASE("without TLS nothing is posted unless it is allowed, even if it was registered when it was") {
    World world;
    world.options.rules.allow_http = false;
    world.start();
    world.waker->waits(world.device(world.push.at("/up/plain")));
    REQUIRE(soon([&] { return world.counted("failed", 1); }));
    CHECK(world.push.requests().empty());
}

TEST_CASE("it stops while transfers hang") {
    World world;
    world.options.timeout = kHour;
    world.start();
    world.waker->waits(world.device(world.push.at("/slow/a")));
    REQUIRE(soon([&] { return world.push.requests_to("/slow/a") == 1; }));
    world.waker->stop();
    world.waker->stop();
    world.waker->waits(world.device(world.push.at("/up/late")));
    CHECK(world.push.requests_to("/up/late") == 0);
}

}  // namespace
}  // namespace nimes::gateway::wake
