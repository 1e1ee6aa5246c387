// Service addresses: one test for each way in which somebody tried to be taken for another, or to have the code of
// another mailed to themselves.
#include <catch2/catch.hpp>

#include "nimes/service_address.hpp"

using namespace nimes;

namespace {

bool good(const std::string& text) { return ServiceAddress::parse(text).has_value(); }
bool none_good(std::initializer_list<std::string> texts) {
    for (const auto& text : texts) {
        INFO(text);
        CHECK_FALSE(good(text));
        const auto refused = ServiceAddress::parse(text);
        if (refused) return false;
        if (refused.error().code != Errc::bad_address) return false;
        // What it says is of the form alone.
        if (text.size() > 3 && refused.error().detail.find(text) != std::string::npos) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("plain addresses are taken, folded, and nothing else of them is changed", "[service_address]") {
    for (const auto* text :
         {"anna.meyer@polizei.example", "A.B@polizei.example", "x+y@a-b.c.example", "o'neill@b.example"})
        CHECK(good(text));
    const auto anna = ServiceAddress::parse("Anna@Polizei.Example").value();
    CHECK(anna.text() == "anna@polizei.example");
    CHECK(anna.local() == "anna");
    CHECK(anna.domain() == "polizei.example");
    CHECK(ServiceAddress::parse("x+y@b.example")->text() == "x+y@b.example");
}

// In 2019 the French state's messenger was entered so, 75 minutes after it was opened.
TEST_CASE("x@y@domain", "[service_address]") {
    CHECK(none_good({"x@y@elysee.fr", "x@elysee.fr@y", "@x@elysee.fr", "x@@elysee.fr", "x@elysee.fr@",
                     "\"x@y\"@elysee.fr", "x\\@y@elysee.fr"}));
}

TEST_CASE("quoted parts", "[service_address]") {
    CHECK(none_good({"\"a b\"@b.example", "\"a\"@b.example", "\"\"@b.example", "a.\"b\"@b.example", "a\"b@b.example",
                     "a\\ b@b.example", "a(x)@b.example", "a@b.example(x)", "<a@b.example>", "Anna <a@b.example>"}));
}

TEST_CASE("look-alike letters", "[service_address]") {
    CHECK(none_good({"m\xc3\xbcller@b.example", "a@p\xd0\xbelizei.example", "\xd0\xb0nna@polizei.example",
                     "a@polizei\xef\xbc\x8e"
                     "example",
                     "a\xef\xbc\xa0polizei.example", "\xef\xbd\x81nna@polizei.example", "a\xcc\x81nna@polizei.example",
                     "a\xe2\x80\x8bnna@polizei.example", "anna@polizei.example\xc2\xa0",
                     "\xe2\x80\xae"
                     "a@b.example",
                     "a\xff@b.example"}));
    // The same domain in Punycode is another domain, and equality decides.
    CHECK(ServiceAddress::parse("a@xn--plizei-4nf.example")->domain() != "polizei.example");
    // The Kelvin sign and the dotless i fold to k and i in some libraries.
    CHECK(
        none_good({"an\xe2\x84\xaa"
                   "a@b.example",
                   "a@pol\xc4\xb1zei.example"}));
}

TEST_CASE("sub-domains and domains that only end alike are domains of their own", "[service_address]") {
    for (const auto* other : {"a@sub.polizei.example", "a@evilpolizei.example", "a@polizei.example.evil.example",
                              "a@polizei-example.example"})
        CHECK(ServiceAddress::parse(other)->domain() != "polizei.example");
    CHECK(none_good({"a@.polizei.example", "a@polizei..example", "a@-polizei.example", "a@polizei-.example",
                     "a@localhost", "a@", "@polizei.example", "a", ""}));
}

TEST_CASE("trailing dots", "[service_address]") {
    CHECK(none_good({"a@polizei.example.", "a@polizei.example..", "a.@polizei.example", ".a@polizei.example",
                     "a..b@polizei.example", "a@."}));
}

TEST_CASE("header injection", "[service_address]") {
    CHECK(none_good({"a@b.example\r\nRcpt: x", "a\n@b.example", "a@b.example\nBcc: eve@elsewhere.example",
                     "a\r@b.example", "a@b.example ", " a@b.example", "a b@b.example", "a\t@b.example",
                     "a@b.example,eve@elsewhere.example", "a,b@c.example", "a;b@c.example", "a:b@c.example",
                     std::string("a\0b@c.example", 13), std::string("a@b.example\0", 12), "a\x7f@b.example"}));
}

TEST_CASE("routes that mail servers follow", "[service_address]") {
    CHECK(none_good({"eve%elsewhere.example@polizei.example", "elsewhere.example!eve@polizei.example",
                     "@elsewhere.example:a@polizei.example", "a@[127.0.0.1]", "a@[IPv6:::1]",
                     "-oQ/tmp@polizei.example"}));
}

TEST_CASE("over-long parts", "[service_address]") {
    const auto labels = [](std::size_t n) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) out += "a.";
        return out;
    };
    CHECK(good(std::string(64, 'a') + "@b.example"));
    CHECK_FALSE(good(std::string(65, 'a') + "@b.example"));
    CHECK(good("a@" + std::string(63, 'b') + ".example"));
    CHECK_FALSE(good("a@" + std::string(64, 'b') + ".example"));
    CHECK(good("a@" + labels(123) + "example"));        // 253
    CHECK_FALSE(good("a@" + labels(124) + "example"));  // 255
    CHECK_FALSE(good(std::string(1'000'000, 'a') + "@b.example"));
    CHECK_FALSE(good("a@" + labels(500'000) + "b"));
}

TEST_CASE("an address is hashed under the organisation's secret", "[service_address]") {
    const Bytes secret(32, 1), other(32, 2);
    const auto a = ServiceAddress::parse("a@b.example").value();
    CHECK(a.hash(secret) == ServiceAddress::parse("A@B.example")->hash(secret));
    CHECK_FALSE(a.hash(secret) == a.hash(other));
}
