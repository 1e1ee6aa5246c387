// What two people compare: equal for both, another one with every change, and a code that has one spelling.
#include "nimes/trust.hpp"

#include <catch2/catch.hpp>

#include "identity_fixture.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

struct Pair {
    Organisation org;
    DirectoryEntry anna = entry(user(1), {11, 12}), bernd = entry(user(2), {13});

    DirectoryEntry entry(const UserId& who, std::vector<std::uint8_t> seeds) const {
        DirectoryEntry out{who, {}, {}};
        for (std::uint32_t seq = 1; const auto seed : seeds)
            out.certs.push_back(certify(org, who, key_pair(seed), seq++, Admission::approved));
        std::sort(out.certs.begin(), out.certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
        return out;
    }
};

}  // namespace

TEST_CASE("the safety number is the same on both sides, and has 12 groups of 5 digits") {
    const Pair p;
    const auto number = safety_number(p.anna, p.bernd);
    CHECK(number == safety_number(p.bernd, p.anna));
    REQUIRE(number.size() == 12 * 5 + 11);
    for (std::size_t i = 0; i < number.size(); ++i) {
        if (i % 6 == 5) CHECK(number[i] == ' ');
        else CHECK((number[i] >= '0' && number[i] <= '9'));
    }
}

TEST_CASE("the safety number is another one for every device that comes or goes, and for other people") {
    Pair p;
    std::vector<std::string> seen{safety_number(p.anna, p.bernd)};
    const auto fresh = [&](const std::string& number) {
        CHECK(std::find(seen.begin(), seen.end(), number) == seen.end());
        seen.push_back(number);
    };
    fresh(safety_number(p.anna, p.entry(user(2), {14})));
    fresh(safety_number(p.anna, p.entry(user(2), {13, 14})));
    fresh(safety_number(p.anna, p.entry(user(3), {13})));
    fresh(safety_number(p.entry(user(1), {11}), p.bernd));
    // A key that changes hands between the two is seen.
    fresh(safety_number(p.entry(user(1), {11}), p.entry(user(2), {12, 13})));
    p.anna.revokes.push_back(revoke_by_admin(p.org, user(1), p.anna.certs[1].device, 3));
    const auto left = p.anna.certs[0].device == certify(p.org, user(1), key_pair(11), 1).device ? 11 : 12;
    CHECK(safety_number(p.anna, p.bernd) ==
          safety_number(p.entry(user(1), {static_cast<std::uint8_t>(left)}), p.bernd));
    CHECK(safety_number(p.anna, p.bernd) != seen[0]);
}

TEST_CASE("a device's code has one spelling") {
    const ContactCode code{user(1), device_id(user(1), key_pair(11).public_key)};
    const auto text = code.text();
    CHECK(text.size() == 14 + 52);
    CHECK(ContactCode::parse(text).value() == code);
    auto upper = text, other = text, unused = text;
    for (auto& c : upper) c = static_cast<char>(std::toupper(c));
    other.replace(0, 5, "mines");
    unused.back() = unused.back() == 'b' ? 'd' : 'b';  // bits that stand for nothing
    for (const auto& wrong : {std::string{}, std::string("nimes-contact:"), upper, other, unused, text + "a",
                              text + "=", " " + text, text + "\n", text.substr(0, text.size() - 1), text.substr(14)}) {
        INFO(wrong);
        CHECK_FALSE(ContactCode::parse(wrong));
    }
}
