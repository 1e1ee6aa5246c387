#include "enrolment/limits.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::gateway::enrolment;

TEST_CASE("a key has its share of each window, whatever others do") {
    Limits limits(2, kMinute);
    CHECK(limits.take("a", 1'000));
    CHECK(limits.take("a", 2'000));
    CHECK_FALSE(limits.take("a", 3'000));
    CHECK(limits.take("b", 3'000));
    CHECK_FALSE(limits.take("a", 1'000 + kMinute - 1));
    CHECK(limits.take("a", 1'000 + kMinute));
    CHECK(limits.take("a", 1'000 + kMinute));
    CHECK_FALSE(limits.take("a", 1'000 + kMinute));
}

TEST_CASE("asking whether a key has something left counts nothing") {
    Limits limits(1, kMinute);
    for (int i = 0; i < 3; ++i) CHECK(limits.has("a", 1'000));
    CHECK(limits.take("a", 1'000));
    CHECK_FALSE(limits.has("a", 1'000 + kMinute - 1));
    CHECK(limits.has("b", 1'000));
    CHECK(limits.has("a", 1'000 + kMinute));
    CHECK(limits.take("a", 1'000 + kMinute));
}

TEST_CASE("a crowd of new keys pushes out the oldest windows, and not everybody's") {
    Limits limits(1, kMinute, 4);
    for (const auto* key : {"oldest", "older", "young", "youngest"}) CHECK(limits.take(key, 1'000));
    CHECK(limits.take("new 1", 2'000));
    CHECK(limits.take("new 2", 2'000));
    CHECK_FALSE(limits.take("young", 2'000));
    CHECK_FALSE(limits.take("youngest", 2'000));
    CHECK_FALSE(limits.take("new 1", 2'000));
    CHECK(limits.take("oldest", 2'000));  // forgotten: the bound holds
}

TEST_CASE("when the table is full, windows that are over go first") {
    Limits limits(1, kMinute, 2);
    CHECK(limits.take("a", 0));
    CHECK(limits.take("b", kMinute / 2));
    CHECK(limits.take("c", kMinute));  // a's is over
    CHECK_FALSE(limits.take("b", kMinute));
    CHECK_FALSE(limits.take("c", kMinute));
}

TEST_CASE("a network is a /24 or a /64, however its address is written") {
    CHECK(network_of("192.0.2.7") == network_of("192.0.2.200"));
    CHECK(network_of("192.0.2.7") != network_of("192.0.3.7"));
    CHECK(network_of("::ffff:192.0.2.9") == network_of("192.0.2.7"));
    CHECK(network_of("2001:db8:0:1::1") == network_of("2001:db8:0:1:ffff::"));
    CHECK(network_of("2001:db8:0:1::1") != network_of("2001:db8:0:2::1"));
    CHECK(network_of("local") != network_of("192.0.2.7"));
}
