#include <list>
#include <random>

#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway::directory;

TEST_CASE("after any sequence of changes an agent at any earlier head gets proof of everyone, and of nobody") {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::mt19937 dice(seed);
        const auto roll = [&](std::size_t n) { return static_cast<std::size_t>(dice()) % n; };
        Office office;
        std::vector<UserId> users;
        for (int n = 0; n < 6; ++n) users.push_back(office.person(n));
        std::vector<Handset> handsets;
        std::list<Client> clients;
        clients.emplace_back(office);
        for (int step = 0; step < 40; ++step) {
            office.clock.time += kMinute;
            const auto user = users[roll(users.size())];
            const auto first = std::find_if(handsets.begin(), handsets.end(), [&](const Handset& h) {
                return h.user == user && office.directory->admit(h.cert.device).has_value();
            });
            const bool had_any = !office.directory->devices(user).empty();
            if (roll(4) == 0 && !handsets.empty())
                REQUIRE(office.directory->revoke(handsets[roll(handsets.size())].cert.device, RevokeReason::lost));
            else if (!had_any) handsets.push_back(office.enrol(user));
            else if (first != handsets.end() && office.directory->targets_of(user)->size() < kMaxActiveDevices) {
                auto further = office.enrol(user, &*first);
                handsets.push_back(std::move(further));
            }
            if (roll(5) == 0) clients.emplace_back(office);
            auto& client = *std::next(clients.begin(), static_cast<std::ptrdiff_t>(roll(clients.size())));
            for (const auto& u : users) {
                const auto entry = client.look_up(u);
                if (office.directory->devices(u).empty()) {
                    REQUIRE(entry.error().code == Errc::not_found);
                    continue;
                }
                REQUIRE(entry);
                REQUIRE((*entry)->entry.certs.size() == office.directory->devices(u).size());
                REQUIRE((*entry)->entry.active_devices(office.clock.time).size() ==
                        office.directory->targets_of(u)->size());
            }
            for (int n = 0; n < 6; ++n) {
                const auto by_address = client.look_up(Office::address(n));
                const auto person = office.directory->person(Office::address(n));
                const bool there = !office.directory->targets_of(person->user)->empty();
                REQUIRE(by_address.has_value() == there);
                if (there) REQUIRE((*by_address)->person->address == Office::address(n).text());
            }
            REQUIRE(client.look_up(UserId{}).error().code == Errc::not_found);
        }
    }
}

TEST_CASE("an answer with one flipped bit anywhere that matters is refused") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    (void)office.enrol(office.person(2));
    for (const auto part : {"record", "path", "head"}) {
        const auto honest = Client(office).ask(user);
        const auto& entry = honest.entries(0);
        const auto size = part == std::string("record") ? entry.records(0).size()
                          : part == std::string("path") ? entry.path().size()
                                                        : honest.head().head().size();
        for (std::size_t at = 0; at < size; ++at) {
            Client client(office);
            auto answer = honest;
            auto* bytes = part == std::string("record") ? answer.mutable_entries(0)->mutable_records(0)
                          : part == std::string("path") ? answer.mutable_entries(0)->mutable_path()
                                                        : answer.mutable_head()->mutable_head();
            (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1);
            const auto step = client.held.take_head(answer.head(), office.clock.time);
            if (!step) continue;
            REQUIRE_FALSE(client.held.take_user(answer.entries(0), user, office.clock.time));
        }
    }
}

TEST_CASE("a directory that forgets a revocation, or shows another history, is caught") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    Client client(office);
    REQUIRE(client.look_up(user));
    const auto before = client.ask(user);
    REQUIRE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    REQUIRE(client.look_up(user));
    // The old answer again: its head is older than ours.
    CHECK(client.held.take_head(before.head(), office.clock.time).error().code == Errc::head_stale);
    CHECK_FALSE(client.held.take_user(before.entries(0), user, office.clock.time));

    Office other;  // same keys, another history
    const auto stranger = other.person(1);
    (void)other.enrol(stranger);
    (void)other.enrol(other.person(2));
    while (other.directory->newest_head().revision <= client.held.head().revision) {
        other.clock.time += kHour;
        REQUIRE(other.directory->tick());
    }
    v1::HeadAnswer forked = other.directory->head(client.held.head().revision).value();
    CHECK(client.held.take_head(forked, other.clock.time).error().code == Errc::directory_fork);
}

TEST_CASE("heads named by others: verified, unknown, or proof of a lie") {
    using Named = agent::directory::HeldDirectory::Named;
    Office office;
    std::vector<DirectoryHead> heads{office.directory->newest_head()};
    for (int n = 0; n < 5; ++n) {
        (void)office.enrol(office.person(n));
        heads.push_back(office.directory->newest_head());
    }
    Client client(office);
    const auto& old = heads[2];
    CHECK(client.held.judge_named(old.revision, old.hash()) == Named::unknown);
    REQUIRE(client.held.take_old_head(office.directory->old_head(old.revision, heads.back().revision).value(),
                                      old.revision));
    CHECK(client.held.judge_named(old.revision, old.hash()) == Named::verified);
    CHECK(client.held.judge_named(old.revision, heads[1].hash()) == Named::failed);
    auto wrong = office.directory->old_head(heads[1].revision, heads.back().revision).value();
    CHECK_FALSE(client.held.take_old_head(wrong, heads[3].revision));
}

namespace {

// A directory that has the keys and lies: it goes on from the honest history with a map of its own.
v1::LookupAnswer lie(const Office& office, const Client& client, const DirectoryEntry& shown) {
    MerkleLog log;
    const auto newest = client.held.head().revision;
    for (std::uint64_t r = 1; r <= newest; ++r)
        log.append(DirectoryHead::parse(as_bytes(office.directory->old_head(r, newest)->head()))->hash());
    PrefixMap map;
    map.put(shown.leaf());
    DirectoryHead head;
    head.revision = newest + 1;
    head.ts = office.clock.time;
    head.n_leaves = map.size();
    head.map_root = map.root();
    head.log_root = log.root(newest);
    v1::LookupAnswer out;
    out.mutable_head()->set_head(
        std::string(as_text(sign_head(head, secrets().directory.secret, secrets().org).encode())));
    for (const auto& d : log.consistency(newest - 1, newest))
        out.mutable_head()->add_consistency(std::string(as_text(d.view())));
    for (const auto& d : log.inclusion(newest - 1, newest))
        out.mutable_head()->add_inclusion(std::string(as_text(d.view())));
    auto& entry = *out.add_entries();
    entry.set_user(std::string(as_text(shown.user.view())));
    for (const auto& record : shown.records()) entry.add_records(std::string(as_text(record)));
    entry.set_path(std::string(as_text(encode_path(map.path(shown.leaf().key())))));
    return out;
}

}  // namespace

TEST_CASE("a revocation seen once is never unseen, whatever newer map the directory signs") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    Client client(office);
    REQUIRE(office.directory->revoke(handset.cert.device, RevokeReason::stolen));
    auto honest = client.look_up(user).value()->entry;
    const auto same = lie(office, client, honest);
    REQUIRE(client.held.take_head(same.head(), office.clock.time));
    REQUIRE(client.held.take_user(same.entries(0), user, office.clock.time));  // a new head alone is no crime

    Client another(office);
    REQUIRE(another.look_up(user));
    honest.revokes.clear();
    const auto answer = lie(office, another, honest);
    REQUIRE(another.held.take_head(answer.head(), office.clock.time));
    CHECK(another.held.take_user(answer.entries(0), user, office.clock.time).error().code == Errc::proof_invalid);
    CHECK(another.held.find(user)->entry.revoke(handset.cert.device) != nullptr);
}

TEST_CASE("asked for an address, the directory cannot show another person's entry") {
    Office office;
    (void)office.enrol(office.person(1, "Meyer, Anna"));
    (void)office.enrol(office.person(2, "Meyer, Bernd"));
    Client client(office);
    v1::LookupRequest request;
    for (int n = 1; n <= 2; ++n)
        request.add_address_hashes(std::string(as_text(client.held.address_hash(Office::address(n).text()).view())));
    auto answer = office.directory->lookup(request).value();
    REQUIRE(client.held.take_head(answer.head(), office.clock.time));
    const auto anna = client.held.address_hash(Office::address(1).text());
    REQUIRE(client.held.take_address(answer.entries(0), anna, office.clock.time));
    CHECK_FALSE(client.held.take_address(answer.entries(1), anna, office.clock.time));
    auto mixed = answer.entries(1);
    mixed.set_address_path(answer.entries(0).address_path());
    CHECK_FALSE(client.held.take_address(mixed, anna, office.clock.time));
}

TEST_CASE("a seal key that its device did not sign is not sealed to") {
    Office office;
    const auto user = office.person(1);
    const auto handset = office.enrol(user);
    SealKey key;
    key.device = handset.cert.device;
    key.batch_no = utc_day(office.clock.time);
    key.key_id = 1;
    key.not_before = utc_day(office.clock.time) * kDay;
    key.not_after = key.not_before + kDay;
    key.signature = sign_seal_key(handset.key.secret, key.body());
    const auto with = [&](const SealKey& shown) {
        Client client(office);
        auto answer = client.ask(user);
        answer.mutable_entries(0)->mutable_devices(0)->add_seal_keys(std::string(as_text(shown.encode())));
        REQUIRE(client.held.take_head(answer.head(), office.clock.time));
        const auto entry = client.held.take_user(answer.entries(0), user, office.clock.time).value();
        return entry->seal_key(handset.cert.device, office.clock.time) != nullptr;
    };
    CHECK(with(key));
    auto forged = key;
    forged.key.bytes[0] ^= 1;
    CHECK_FALSE(with(forged));
    auto other = key;
    other.device = DeviceId{};
    CHECK_FALSE(with(other));
}
