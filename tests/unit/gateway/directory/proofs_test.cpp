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
