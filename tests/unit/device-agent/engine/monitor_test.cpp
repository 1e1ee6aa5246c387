// What others were shown of one's own entry: looked at under each head that a grant named, once.
#include "engine/monitor.hpp"

#include "engine/trust.hpp"
#include "engine/view.hpp"
#include "history_fixture.hpp"
#include "lookup_only.hpp"
#include "unit/device-agent/directory/fake_directory.hpp"

namespace nimes::agent::engine {
namespace {

// Anna's device, whose directory kept what each revision said of her.
struct Watched : Device {
    SigningKeyPair third_key = test::key_pair(14);
    DeviceCert third = test::certify(org, anna, third_key, 3, Admission::approved);
    test::FakeDirectory dir;
    std::map<std::uint64_t, std::pair<DirectoryEntry, PrefixMap>> shown;
    LookupOnly network;
    Monitor monitor{core, network};

    Watched() {
        core.directory.emplace(dir.org.keys, dir.secret.view(), dir.heads.front());
        const auto revision = publish({old_cert, new_cert});
        advance();
        REQUIRE(core.directory->take_user(dir.entry_answer(shown.at(revision).first), anna, core.now()));
        REQUIRE(know_own_device(core, old_cert.device));
        network.says = [this](const v1::LookupRequest& r) { return honest(r); };
    }
    static DirectoryEntry sorted(const UserId& user, std::vector<DeviceCert> certs, std::vector<DeviceRevoke> revokes) {
        std::sort(certs.begin(), certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
        return {user, std::move(certs), std::move(revokes)};
    }
    std::uint64_t publish(std::vector<DeviceCert> certs, std::vector<DeviceRevoke> revokes = {}) {
        const auto entry = sorted(anna, std::move(certs), std::move(revokes));
        if (entry.certs.empty()) dir.map = PrefixMap();
        else dir.map.put(entry.leaf());
        const auto revision = dir.publish().revision;
        shown[revision] = {entry, dir.map};
        return revision;
    }
    // To the newest head, with the one before it verified, too.
    void advance() {
        const auto held = core.directory->head().revision;
        REQUIRE(core.directory->take_head(dir.head_answer(held), core.clock.now()));
        for (auto r = held; r < dir.heads.size(); ++r)
            REQUIRE(core.directory->take_old_head(dir.old_head_answer(r), r));
    }
    // As each sync does.
    void look() { REQUIRE(core.directory->take_user(under(dir.heads.size()).entries(0), anna, core.now())); }
    Result<v1::LookupAnswer> honest(const v1::LookupRequest& r) { return under(r.under_revision()); }
    v1::LookupAnswer under(std::uint64_t revision) const {
        const auto& [entry, map] = shown.at(revision);
        v1::LookupAnswer out;
        out.set_under_head(test::raw(dir.heads.at(revision - 1).encode()));
        auto& e = *out.add_entries();
        if (entry.certs.empty()) {
            e.set_absence(test::raw(encode_absence(map.path(anna.bytes))));
            return out;
        }
        for (const auto& record : entry.records()) e.add_records(test::raw(record));
        e.set_path(test::raw(encode_path(map.path(anna.bytes))));
        return out;
    }
    void note(std::uint64_t revision) {
        REQUIRE(core.transact([&](container::Transaction& tx) { return Monitor::note(core, tx, revision); }));
    }
    void run() {
        Lock lock(core.mutex);
        REQUIRE(monitor.run(lock));
    }
    std::vector<Alarm> alarms() { return alarms_after(core, 0).value(); }
};

}  // namespace

TEST_CASE("a device that was shown to others for one revision only raises the alarm") {
    Watched w;
    const auto lied = w.publish({w.old_cert, w.new_cert, w.third});
    w.publish({w.old_cert, w.new_cert});
    w.advance();
    w.look();
    w.note(lied);
    w.run();
    const auto alarms = w.alarms();
    REQUIRE(alarms.size() == 2);  // the device, and an entry that went back
    CHECK(alarms[0].device == w.third.device);
    CHECK(alarms[1].text.find("another list of your devices") != std::string::npos);
    CHECK(w.network.asked == 1);
    w.note(lied);
    w.run();
    CHECK(w.network.asked == 1);  // once for each revision
    CHECK(w.alarms().size() == 2);
}

TEST_CASE("an honest directory raises nothing, before and after what is held now") {
    Watched w;
    const auto before = w.core.directory->head().revision;
    REQUIRE(know_own_device(w.core, w.third.device));
    const auto after = w.publish({w.old_cert, w.new_cert, w.third});
    w.advance();
    w.note(before);
    w.note(after);
    w.run();
    CHECK(w.network.asked == 2);
    CHECK(w.alarms().empty());
}

TEST_CASE("the own entry looked up under a head is as good") {
    Watched w;
    const auto revision = w.core.directory->head().revision;
    Monitor::seen(w.core, revision);
    w.note(revision);
    w.run();
    CHECK(w.network.asked == 0);
}

TEST_CASE("a revocation that was shown to others and taken back raises the alarm") {
    Watched w;
    const auto lied = w.publish({w.old_cert, w.new_cert}, {test::revoke_by_admin(w.org, w.anna, w.old_cert.device, 3)});
    w.publish({w.old_cert, w.new_cert});
    w.advance();
    w.look();
    w.note(lied);
    w.run();
    CHECK(w.alarms().size() == 1);
}

TEST_CASE("what the named head does not bear out is an alarm at once") {
    Watched w;
    const auto lied = w.publish({w.old_cert, w.new_cert, w.third});
    const auto clean = w.publish({w.old_cert, w.new_cert});
    const auto absent = w.publish({});
    w.publish({w.old_cert, w.new_cert});
    w.advance();
    SECTION("another head") {
        w.network.says = [&](const auto&) -> Result<v1::LookupAnswer> { return w.under(clean); };
        w.note(lied);
    }
    SECTION("the records of another revision") {
        w.network.says = [&](const auto&) -> Result<v1::LookupAnswer> {
            auto out = w.under(lied);
            *out.mutable_entries(0) = w.under(clean).entries(0);
            return out;
        };
        w.note(lied);
    }
    SECTION("no entry in the answer") {
        w.network.says = [&](const auto&) -> Result<v1::LookupAnswer> {
            auto out = w.under(lied);
            out.clear_entries();
            return out;
        };
        w.note(lied);
    }
    SECTION("a head without this device: who was shown it cannot have sealed to it") { w.note(absent); }
    w.run();
    CHECK(w.alarms().size() == 1);
    w.run();
    CHECK(w.alarms().size() == 1);
}

TEST_CASE("a directory that does not answer for a day raises the alarm; who is offline for a moment does not") {
    Watched w;
    const auto revision = w.core.directory->head().revision;
    w.network.says = [](const auto&) -> Result<v1::LookupAnswer> { return fail(Errc::not_found); };
    w.note(revision);
    w.run();
    CHECK(w.alarms().empty());
    w.home.clock.wall += Monitor::kPatience - kMinute;
    w.run();
    CHECK(w.alarms().empty());
    w.home.clock.wall += 2 * kMinute;
    w.run();
    CHECK(w.alarms().size() == 1);
    w.run();
    CHECK(w.network.asked == 3);
}

TEST_CASE("what waits for an answer is kept over a restart; heads of more than a week ago are left alone") {
    Watched w;
    const auto revision = w.core.directory->head().revision;
    w.note(revision);
    w.core.monitored.clear();
    {
        auto tx = w.core.box->begin();
        REQUIRE(tx);
        REQUIRE(Monitor::load(w.core, *tx));
    }
    w.run();
    CHECK(w.network.asked == 1);

    Watched late;
    late.home.clock.wall += Monitor::kLooksBack + kMinute;
    late.note(late.core.directory->head().revision);
    late.run();
    CHECK(late.network.asked == 0);
}

}  // namespace nimes::agent::engine
