// One-time keys at the gateway: handed out once, whatever breaks; limited; gone with their batch and their device.
#include "directory/one_time_keys.hpp"
#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::directory;

namespace {

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

struct Keys {
    Office office;
    Handset anna = office.enrol(office.person(1));
    Handset bernd = office.enrol(office.person(2));
    std::uint32_t today = utc_day(kStart);

    static Bytes key(const Handset& of, SealKeyKind kind, std::uint32_t batch, std::uint32_t id, Millis from,
                     std::optional<DeviceId> device = {}) {
        SealKey k;
        k.kind = kind;
        k.device = device.value_or(of.cert.device);
        k.batch_no = batch;
        k.key_id = id;
        k.not_before = from;
        k.not_after = from + (kind == SealKeyKind::day ? kDay : 32 * kDay);
        k.signature = sign_seal_key(of.key.secret, k.body());
        return k.encode();
    }
    std::vector<Bytes> once(std::uint32_t first, std::size_t count, std::uint32_t batch) {
        std::vector<Bytes> out;
        for (std::size_t i = 0; i < count; ++i)
            out.push_back(
                key(bernd, SealKeyKind::one_time, batch, first + static_cast<std::uint32_t>(i), Millis{batch} * kDay));
        return out;
    }
    Result<void> publish(std::uint32_t first, std::size_t count, std::uint32_t batch) {
        const std::vector<Bytes> days{key(bernd, SealKeyKind::day, batch, first, Millis{today} * kDay)};
        return office.directory->put_seal_keys(bernd.cert.device, days, once(first + 1, count, batch));
    }
    Result<v1::LookupAnswer> ask(const Handset& asker, int devices = 1) {
        v1::LookupRequest request;
        request.add_users(raw(bernd.user.view()));
        for (int i = 0; i < devices; ++i) request.add_one_time_for(raw(bernd.cert.device.view()));
        return office.directory->lookup_for(asker.cert.device, request);
    }
    // The id of the key that came; 0: none.
    std::uint32_t handed_out(const Handset& asker) {
        const auto answer = ask(asker).value();
        const auto& bytes = answer.entries(0).devices(0).one_time_key();
        return bytes.empty() ? 0 : SealKey::parse(as_bytes(bytes)).value().key_id;
    }
    std::uint32_t handed_out() { return handed_out(anna); }
    std::uint32_t left() { return ask(bernd).value().entries(0).devices(0).one_time_left(); }
    // Everybody's quota begins anew.
    void next_hour() { office.clock.time += kHour; }
};

}  // namespace

TEST_CASE("a one-time key is handed out once, also across a restart, and only when it is asked for") {
    Keys k;
    REQUIRE(k.publish(10, 3, k.today));
    v1::LookupRequest plain;
    plain.add_users(raw(k.bernd.user.view()));
    CHECK(k.office.directory->lookup_for(k.anna.cert.device, plain)->entries(0).devices(0).one_time_key().empty());
    CHECK(k.left() == 3);
    CHECK(k.handed_out() == 11);
    CHECK(k.handed_out() == 12);
    k.office.reopen();
    CHECK(k.handed_out() == 13);
    CHECK(k.handed_out() == 0);  // and the day key is still there
    CHECK(k.ask(k.anna)->entries(0).devices(0).seal_keys_size() == 1);
    CHECK(k.left() == 0);
    CHECK(k.ask(k.anna)->entries(0).devices(0).one_time_left() == 0);
    CHECK(k.ask(k.bernd)->entries(0).devices(0).one_time_key().empty());  // nobody seals to himself
    CHECK(k.ask(k.anna, 33).error().code == Errc::too_large);
}

TEST_CASE("a crash between the erasure and the answer costs a key and gives none out twice") {
    Keys k;
    REQUIRE(k.publish(10, 3, k.today));
    k.office.store.dies_after_commit = true;
    CHECK(k.ask(k.anna).error().code == Errc::storage);
    k.office.store.dies_after_commit = false;
    k.office.reopen();
    CHECK(k.handed_out() == 12);
    // One that comes before the erasure costs nothing.
    k.office.store.broken = "t" + raw(k.bernd.cert.device.view());
    CHECK(k.ask(k.anna).error().code == Errc::storage);
    k.office.store.broken.clear();
    k.office.reopen();
    CHECK(k.handed_out() == 13);
}

TEST_CASE("an upload that is repeated brings back nothing that was handed out") {
    Keys k;
    REQUIRE(k.publish(10, 2, k.today));
    CHECK(k.handed_out() == 11);
    REQUIRE(k.publish(10, 2, k.today));
    k.office.reopen();
    REQUIRE(k.publish(10, 2, k.today));
    CHECK(k.left() == 1);
    CHECK(k.handed_out() == 12);
    CHECK(k.handed_out() == 0);
    REQUIRE(k.office.directory->put_seal_keys(k.bernd.cert.device, {}, k.once(12, 2, k.today)));  // 12 is old
    CHECK(k.handed_out() == 13);
    CHECK(k.handed_out() == 0);
}

TEST_CASE("nobody empties a device's one-time keys: so many an hour of each device, so many in all") {
    Keys k;
    const auto clara = k.office.enrol(k.office.person(3));
    REQUIRE(k.publish(10, 20, k.today));
    for (std::size_t i = 0; i < OneTimeKeys::kOfDeviceInHour; ++i) CHECK(k.handed_out() != 0);
    CHECK(k.handed_out() == 0);
    const auto second = k.office.enrol(k.anna.user, &k.anna);
    CHECK(k.handed_out(second) == 0);  // another device of hers is still her
    CHECK(k.handed_out(clara) != 0);
    k.next_hour();
    CHECK(k.handed_out() != 0);

    store::MemoryStore store;
    FakeClock clock;
    OneTimeKeys keys(store, clock);
    std::size_t came = 0;
    for (std::uint32_t n = 0; n < OneTimeKeys::kInHour + 20; ++n) {
        DeviceId device;
        device.bytes[0] = static_cast<std::uint8_t>(n);
        device.bytes[1] = static_cast<std::uint8_t>(n >> 8);
        const auto one = SealKey::parse(Keys::key(k.bernd, SealKeyKind::one_time, k.today, 1, kStart, device)).value();
        REQUIRE(keys.put(device, k.today, std::span(&one, 1)));
        const OneTimeKeys::Wanted wanted{device, k.today};
        came += keys.hand_out(k.anna.user, std::span(&wanted, 1))->size();
    }
    CHECK(came == OneTimeKeys::kInHour);
}

TEST_CASE("one-time keys go with their batch: a copy of the device does not outlive the next publication") {
    Keys k;
    REQUIRE(k.publish(10, 2, k.today));
    REQUIRE(k.publish(20, 2, k.today + 1));
    CHECK(k.left() == 2);
    CHECK(k.handed_out() == 21);
    // Of a crash between the new batch and its one-time keys, those of the old one are still there: not given out.
    k.office.store.broken = "t" + raw(k.bernd.cert.device.view());
    k.office.clock.time += kDay;
    CHECK_FALSE(k.publish(30, 2, k.today + 2));
    k.office.store.broken.clear();
    k.office.reopen();
    CHECK(k.handed_out() == 0);
    REQUIRE(k.publish(30, 2, k.today + 2));
    CHECK(k.handed_out() == 31);
    CHECK_FALSE(k.office.directory->put_seal_keys(k.bernd.cert.device, {}, k.once(40, 1, k.today)));
}

TEST_CASE("what is no one-time key of this device and batch is refused, and so is too much") {
    Keys k;
    auto& d = *k.office.directory;
    const auto& device = k.bernd.cert.device;
    REQUIRE(k.publish(10, 0, k.today));
    const auto put = [&](const Bytes& one) { return d.put_seal_keys(device, {}, std::vector<Bytes>{one}); };
    CHECK_FALSE(put(Keys::key(k.anna, SealKeyKind::one_time, k.today, 50, kStart, device)));
    CHECK_FALSE(put(Keys::key(k.anna, SealKeyKind::one_time, k.today, 50, kStart)));
    CHECK_FALSE(put(Keys::key(k.bernd, SealKeyKind::day, k.today, 50, Millis{k.today} * kDay)));
    CHECK_FALSE(put(Keys::key(k.bernd, SealKeyKind::one_time, k.today + 1, 50, kStart)));
    CHECK_FALSE(d.put_seal_keys(device, {}, {}));
    CHECK_FALSE(d.put_seal_keys(device, {}, std::vector<Bytes>(2, k.once(50, 1, k.today)[0])));
    CHECK(d.put_seal_keys(device, {}, k.once(100, OneTimeKeys::kInUpload + 1, k.today)).error().code ==
          Errc::too_large);
    REQUIRE(d.put_seal_keys(device, {}, k.once(100, OneTimeKeys::kInUpload, k.today)));
    REQUIRE(d.put_seal_keys(device, {}, k.once(200, OneTimeKeys::kInUpload, k.today)));
    CHECK(d.put_seal_keys(device, {}, k.once(300, 1, k.today)).error().code == Errc::too_large);
    auto longer = SealKey::parse(k.once(400, 1, k.today)[0]).value();
    longer.not_after += 1;
    longer.signature = sign_seal_key(k.bernd.key.secret, longer.body());
    CHECK_FALSE(put(longer.encode()));
}

TEST_CASE("one-time keys are purged with their device, also when that broke off") {
    Keys k;
    REQUIRE(k.publish(10, 3, k.today));
    const store::Partition where{store::Family::directory, "t" + raw(k.bernd.cert.device.view())};
    const auto rows = [&] { return k.office.store.scan(where, {}, {}, 10)->size(); };
    REQUIRE(rows() == 4);
    SECTION("at once") {
        REQUIRE(k.office.directory->revoke(k.bernd.cert.device, RevokeReason::stolen));
        CHECK(rows() == 0);
    }
    SECTION("at the next start") {
        k.office.store.keeps_partitions = true;
        REQUIRE(k.office.directory->revoke(k.bernd.cert.device, RevokeReason::stolen));
        REQUIRE(rows() == 4);
        CHECK(k.ask(k.anna)->entries(0).devices_size() == 0);
        k.office.store.keeps_partitions = false;
        k.office.reopen();
        CHECK(rows() == 0);
    }
    CHECK(k.office.directory->put_seal_keys(k.bernd.cert.device, {}, k.once(20, 1, k.today)).error().code ==
          Errc::device_revoked);
    // The others' are still there.
    CHECK(k.office.directory->put_seal_keys(
        k.anna.cert.device, std::vector<Bytes>{Keys::key(k.anna, SealKeyKind::day, k.today, 1, Millis{k.today} * kDay)},
        {}));
}
