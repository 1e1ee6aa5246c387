// Shares and wipe orders over a store in memory: who gets what, and what is left after a revocation.
#include <catch2/catch.hpp>
#include <map>

#include "nimes/token.hpp"
#include "shares/routes.hpp"
#include "store/memory_store.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::shares;

namespace {

struct TestClock final : Clock {
    Millis time = 1'780'000'000'000;
    Millis now() const override { return time; }
    Millis boot() const override { return time; }
};

SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

const Audience kHere = audience_of("https://gateway.example:8443").value();

struct Fleet final : Devices {
    const Clock& clock;
    std::map<DeviceId, KnownDevice> known;
    std::map<DeviceId, Errc> out;
    std::uint64_t asked_held = 0;
    std::function<void()> after_admit;

    explicit Fleet(const Clock& c) : clock(c) {}
    std::optional<KnownDevice> find(const DeviceId& device) const override {
        const auto at = known.find(device);
        return at == known.end() ? std::nullopt : std::optional(at->second);
    }
    Result<void> admit(const DeviceId& device) const override {
        if (!known.contains(device)) return fail(Errc::device_unknown);
        const auto at = out.find(device);
        const auto answer = at == out.end() ? Result<void>() : Result<void>(fail(at->second));
        if (after_admit) after_admit();
        return answer;
    }
    Result<KnownDevice> recognise(std::string_view text) const override {
        const auto token = Token::parse(text);
        if (!token) return fail(token.error().code);
        const auto device = find(token->device);
        if (!device) return fail(Errc::token_invalid);
        if (auto ok = token->check(device->identity, kHere, clock.now(), Token::kHttpsWindow); !ok) return pass(ok);
        return *device;
    }
    Result<v1::LookupAnswer> entry(const UserId& user, std::uint64_t held) const override {
        v1::LookupAnswer answer;
        answer.add_entries()->set_user(std::string(as_text(user.view())));
        answer.mutable_head()->set_head("head " + std::to_string(held));
        return answer;
    }
};

struct Keys final : Signer {
    SigningKeyPair admin = key_pair(3), directory = key_pair(2);
    OrgId org = org_id("polizei-test");
    void sign(WipeOrder& order) const override { order.sign(admin, directory.secret, org); }
    [[nodiscard]] OrgKeys pinned() const { return {org, {}, directory.public_key, {admin.public_key}}; }
};

struct OpenGate final : Gate {
    bool networks = true, devices = true;
    bool from_network(const std::string&) override { return networks; }
    bool from_device(const DeviceId&) override { return devices; }
};

struct World {
    TestClock clock;
    SystemRandom random;
    store::MemoryStore store;
    Fleet fleet{clock};
    Keys keys;
    OpenGate gate;
    Shares shares{store, fleet, {Key(ByteArray<32>{5}), std::nullopt, random}};
    WipeOrders wipes{store, fleet, keys, clock, random};
    http::Router router;
    SigningKeyPair identity = key_pair(11);
    UserId user = random.id<UserId>();
    DeviceId device = device_id(user, identity.public_key);

    World() {
        REQUIRE(crypto_init());
        fleet.known[device] = {user, device, identity.public_key, false};
        add_routes(router, {shares, wipes, fleet, gate});
    }
    static Share share(std::uint8_t byte, std::uint32_t number = 1) {
        ByteArray<32> bytes{};
        bytes.fill(byte);
        return {number, Secret<32>(ByteView(bytes))};
    }
    http::Response farewell(const v1::Farewell& body) const {
        auto match = router.find(http::Method::post, "/v1/farewell");
        REQUIRE(match.handler != nullptr);
        CHECK(match.access == http::Access::open);
        http::Request request;
        request.body.resize(body.ByteSizeLong());
        (void)body.SerializeToArray(request.body.data(), static_cast<int>(request.body.size()));
        return (*match.handler)(request);
    }
    v1::Farewell asks() {
        v1::Farewell body;
        body.set_token(mint_token(identity.secret, device, kHere, clock.time, random));
        body.set_held_revision(7);
        return body;
    }
    static v1::FarewellAnswer read(const http::Response& response) {
        REQUIRE(response.status == 200);
        v1::FarewellAnswer out;
        REQUIRE(out.ParseFromArray(response.body.data(), static_cast<int>(response.body.size())));
        return out;
    }
    WipeReceipt receipt(const WipeOrder& order) {
        WipeReceipt out;
        out.user = user;
        out.device = device;
        out.order = order.id;
        out.done = clock.time;
        out.sign(identity.secret);
        return out;
    }
};

std::size_t rows(World& w) {
    return w.store.scan({store::Family::directory, "share" + std::string(as_text(w.device.view()))}, "", "", 10)
        ->size();
}

}  // namespace

TEST_CASE("a device gets its share back as long as it is admitted") {
    World w;
    CHECK(w.shares.get(w.device).error().code == Errc::not_found);
    REQUIRE(w.shares.put(w.device, World::share(5)));
    CHECK(w.shares.get(w.device)->bytes.equals(World::share(5).bytes.view()));
    REQUIRE(w.shares.put(w.device, World::share(6)));  // the same number again: cut off in between
    REQUIRE(w.shares.put(w.device, World::share(7, 2)));
    CHECK(w.shares.put(w.device, World::share(8, 1)).error().code == Errc::storage_conflict);
    CHECK(w.shares.put(w.device, World::share(8, 0)).error().code == Errc::malformed);
    CHECK(w.shares.get(w.device)->number == 2);

    SECTION("suspended: withheld, and there again afterwards") {
        w.fleet.out[w.device] = Errc::device_suspended;
        CHECK(w.shares.get(w.device).error().code == Errc::device_suspended);
        CHECK(w.shares.put(w.device, World::share(9, 3)).error().code == Errc::device_suspended);
        w.fleet.out.clear();
        CHECK(w.shares.get(w.device)->number == 2);
    }
    SECTION("revoked: deleted, and nothing puts another one") {
        w.fleet.out[w.device] = Errc::device_revoked;
        REQUIRE(w.shares.erase(w.device));
        CHECK(w.shares.put(w.device, World::share(9, 3)).error().code == Errc::device_revoked);
        CHECK(rows(w) == 0);
    }
    SECTION("revoked while it puts one: nothing stays") {
        w.fleet.after_admit = [&] {
            w.fleet.after_admit = nullptr;
            w.fleet.out[w.device] = Errc::device_revoked;
            REQUIRE(w.shares.erase(w.device));
        };
        CHECK(w.shares.put(w.device, World::share(9, 3)).error().code == Errc::device_revoked);
        CHECK(rows(w) == 0);
    }
}

TEST_CASE("a wipe order is made once, handed out, and closed by the device's receipt alone") {
    World w;
    CHECK(w.wipes.facts(w.device)->ordered == 0);
    CHECK_FALSE(*w.wipes.deliver(w.device));
    CHECK(w.wipes.order(w.random.id<DeviceId>()).error().code == Errc::device_unknown);
    REQUIRE(w.wipes.order(w.device));
    CHECK(w.wipes.facts(w.device)->ordered == w.clock.time);
    CHECK(w.wipes.facts(w.device)->delivered == 0);
    w.clock.time += kHour;
    REQUIRE(w.wipes.order(w.device));
    const auto order = **w.wipes.deliver(w.device);
    CHECK(order.issued == w.clock.time - kHour);
    CHECK(judge_wipe(order, w.user, w.device, w.keys.pinned(), w.clock.time));
    CHECK(w.wipes.facts(w.device)->delivered == w.clock.time);

    SECTION("receipted") {
        auto receipt = w.receipt(order);
        const auto signature = receipt.signature;
        receipt.sign(key_pair(12).secret);
        CHECK(w.wipes.receive(receipt).error().code == Errc::signature_invalid);
        receipt = w.receipt(order);
        receipt.order = w.random.id<WipeOrderId>();
        receipt.sign(w.identity.secret);
        CHECK(w.wipes.receive(receipt).error().code == Errc::not_found);
        CHECK(w.wipes.facts(w.device)->receipted == 0);
        REQUIRE(w.wipes.receive(w.receipt(order)));
        REQUIRE(w.wipes.receive(w.receipt(order)));
        CHECK(signature == w.receipt(order).signature);
        CHECK(w.wipes.facts(w.device)->receipted == w.clock.time);
        CHECK(w.wipes.facts(w.device)->result == WipeResult::complete);
        CHECK_FALSE(*w.wipes.deliver(w.device));
    }
    SECTION("its time is over") {
        w.clock.time += 31 * kDay;
        CHECK_FALSE(*w.wipes.deliver(w.device));
        REQUIRE(w.wipes.order(w.device));
        CHECK((*w.wipes.deliver(w.device))->issued == w.clock.time);
    }
}

TEST_CASE("farewell answers a revoked device with entry and order, takes its receipt, and never gives the share") {
    World w;
    REQUIRE(w.shares.put(w.device, World::share(5)));
    w.fleet.out[w.device] = Errc::device_revoked;
    REQUIRE(w.wipes.order(w.device));
    const auto response = w.farewell(w.asks());
    const auto answer = World::read(response);
    CHECK(answer.entry().head().head() == "head 7");
    const auto order = WipeOrder::parse(as_bytes(answer.wipe_order())).value();
    const std::string share(32, 5);
    CHECK(std::string(as_text(response.body)).find(share) == std::string::npos);

    v1::Farewell last;
    last.set_receipt(std::string(as_text(w.receipt(order).encode())));
    CHECK(w.farewell(last).status == 200);
    CHECK(w.wipes.facts(w.device)->receipted == w.clock.time);
    CHECK(World::read(w.farewell(w.asks())).wipe_order().empty());
    last.set_receipt("short");
    CHECK(w.farewell(last).status == 400);
}

TEST_CASE("farewell listens to the device's own signature alone, and not without end") {
    World w;
    auto body = w.asks();
    SECTION("another key") {
        body.set_token(mint_token(key_pair(12).secret, w.device, kHere, w.clock.time, w.random));
        CHECK(w.farewell(body).status == 401);
    }
    SECTION("another gateway") {
        const auto there = audience_of("https://other.example:8443").value();
        body.set_token(mint_token(w.identity.secret, w.device, there, w.clock.time, w.random));
        CHECK(w.farewell(body).status == 401);
    }
    SECTION("too old") {
        w.clock.time += 11 * kMinute;
        CHECK(w.farewell(body).status == 401);
    }
    SECTION("no token") {
        body.clear_token();
        CHECK(w.farewell(body).status == 401);
    }
    SECTION("too often from a network") {
        w.gate.networks = false;
        CHECK(w.farewell(body).status == 429);
    }
    SECTION("too often by a device") {
        w.gate.devices = false;
        CHECK(w.farewell(body).status == 429);
    }
}
