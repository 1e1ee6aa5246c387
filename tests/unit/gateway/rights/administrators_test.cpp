// Who an administrator is: by a token that is kept nowhere, as long as the person stands; and the last owner.
#include <thread>

#include "nimes/encoding.hpp"
#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::rights;

TEST_CASE("a token is its administrator's, also after a restart, and is not in the store") {
    Office o;
    const auto token = o.add("anna", Role::administrator, {"Celle"}).value();
    const auto other = o.add("bernd", Role::help_desk).value();
    CHECK(token != other);
    o.restart();
    const auto known = o.all->by_token(token);
    REQUIRE(known);
    CHECK(known->name == "anna");
    CHECK(known->role == Role::administrator);
    CHECK(known->units == std::vector<std::string>{"Celle"});
    const auto secret = from_hex(token.substr(token.rfind('-') + 1)).value();
    CHECK(secret.size() == 32);
    const auto records = o.store.scan({store::Family::directory, "administrators"}, "", "", 100).value();
    CHECK(records.size() == 3);  // two administrators, and the use of one
    for (const auto& record : records) {
        const std::string value(as_text(record.value));
        CHECK(value.find(to_hex(secret)) == std::string::npos);
        CHECK(value.find(std::string(as_text(secret))) == std::string::npos);
    }
}

TEST_CASE("what is no token, or one bit off, is nobody's") {
    Office o;
    const auto token = o.add("anna", Role::owner).value();
    for (const auto& wrong : {std::string(), std::string("nimes-admin-"), token.substr(0, token.size() - 1),
                              token + "0", "nimes-admin-" + std::string(64, '0'), token.substr(12)})
        CHECK_FALSE(o.all->by_token(wrong));
    auto off = token;
    off.back() = off.back() == '0' ? '1' : '0';
    CHECK_FALSE(o.all->by_token(off));
    CHECK(o.all->by_token(token));
}

TEST_CASE("owners and auditors are of the whole organisation, and of no unit alone") {
    Office o;
    for (const auto role : {Role::owner, Role::auditor}) {
        CHECK(o.add("anna", role, {"Celle"}).error().code == Errc::malformed);
        CHECK(o.add("anna", role));
        REQUIRE(o.all->remove("anna", Office::row()));
    }
    CHECK(o.add("anna", Role::help_desk, {"Celle"}));
}

TEST_CASE("taken away, a token is worth nothing, also after a restart; the name can be given anew") {
    Office o;
    const auto token = o.add("anna", Role::auditor).value();
    CHECK(o.add("anna", Role::auditor).error().code == Errc::exists);
    REQUIRE(o.all->remove("anna", Office::row()));
    CHECK_FALSE(o.all->by_token(token));
    CHECK(o.all->remove("anna", Office::row()).error().code == Errc::not_found);
    o.restart();
    CHECK_FALSE(o.all->by_token(token));
    CHECK(o.add("anna", Role::auditor).value() != token);
}

TEST_CASE("a person who is shut out administrates nothing, until they are let in again") {
    Office o;
    const auto token = o.add("anna", Role::administrator).value();
    o.roll.people[Office::address("anna")] = People::Standing::shut_out;
    CHECK_FALSE(o.all->by_token(token));
    o.roll.people[Office::address("anna")] = People::Standing::stands;
    CHECK(o.all->by_token(token));
    CHECK(o.add("zoe", Role::auditor).error().code == Errc::not_found);  // stands on no roster
}

TEST_CASE("the last use is kept over a restart, to the minute") {
    Office o;
    const auto token = o.add("anna", Role::owner).value();
    CHECK(o.all->all()[0].last_used == 0);
    const auto first = o.clock.time;
    REQUIRE(o.all->by_token(token));
    o.clock.time += kSecond;
    REQUIRE(o.all->by_token(token));
    CHECK(o.all->all()[0].last_used == first);
    o.clock.time += kMinute;
    REQUIRE(o.all->by_token(token));
    o.restart();
    CHECK(o.all->all()[0].last_used == o.clock.time);
}

TEST_CASE("where no owner was ever made, anybody can be shut out") {
    Office o;
    REQUIRE(o.add("anna", Role::administrator));
    CHECK(o.all->may_shut_out({Office::address("anna"), Office::address("bernd")}));
    CHECK(o.all->may_remove("anna"));
}

TEST_CASE("the last owner who stands can be neither removed nor shut out, however many others there are") {
    Office o;
    REQUIRE(o.add("anna", Role::owner));
    REQUIRE(o.add("clara", Role::administrator));
    CHECK(o.all->may_remove("anna").error().code == Errc::forbidden);
    CHECK(o.all->may_shut_out({Office::address("anna")}).error().code == Errc::forbidden);
    CHECK(o.all->may_remove("clara"));
    REQUIRE(o.add("bernd", Role::owner));
    CHECK(o.all->may_remove("anna"));
    CHECK(o.all->may_shut_out({Office::address("anna")}));
    CHECK(o.all->may_shut_out({Office::address("anna"), Office::address("bernd")}).error().code == Errc::forbidden);
    o.roll.people[Office::address("bernd")] = People::Standing::shut_out;
    CHECK(o.all->may_remove("anna").error().code == Errc::forbidden);
    CHECK(o.all->may_shut_out({Office::address("anna")}).error().code == Errc::forbidden);
}

TEST_CASE("two who each shut out the other's owner at once: one of them is refused") {
    Office o;
    REQUIRE(o.add("anna", Role::owner));
    REQUIRE(o.add("bernd", Role::owner));
    std::array<bool, 2> done{};
    const auto shut_out = [&](std::size_t n, const char* name) {
        const auto held = o.all->may_shut_out({Office::address(name)});
        if (!held) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // an order takes its time to be recorded
        o.roll.people[Office::address(name)] = People::Standing::shut_out;
        done[n] = true;
    };
    std::thread first([&] { shut_out(0, "anna"); });
    std::thread second([&] { shut_out(1, "bernd"); });
    first.join();
    second.join();
    CHECK(done[0] != done[1]);
}
