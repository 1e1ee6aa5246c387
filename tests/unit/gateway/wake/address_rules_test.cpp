#include "wake/address_rules.hpp"

#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <cstring>

namespace nimes::gateway::wake {
namespace {

bool allowed(const std::string& text, const Rules& rules = {}) {
    sockaddr_storage at{};
    if (text.find(':') == std::string::npos) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        REQUIRE(inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1);
        std::memcpy(&at, &in, sizeof in);
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        REQUIRE(inet_pton(AF_INET6, text.c_str(), &in.sin6_addr) == 1);
        std::memcpy(&at, &in, sizeof in);
    }
    return may_connect(reinterpret_cast<const sockaddr*>(&at), rules);
}

TEST_CASE("no address inside, whatever it is written as") {
    for (const char* inside : {"127.0.0.1",
                               "127.255.255.254",
                               "0.0.0.0",
                               "0.1.2.3",
                               "10.0.0.1",
                               "100.64.0.1",
                               "100.127.255.255",
                               "169.254.169.254",
                               "172.16.0.1",
                               "172.31.255.255",
                               "192.168.1.1",
                               "192.0.0.8",
                               "192.0.2.1",
                               "198.18.0.1",
                               "198.19.255.255",
                               "198.51.100.7",
                               "203.0.113.9",
                               "224.0.0.1",
                               "239.255.255.250",
                               "240.0.0.1",
                               "255.255.255.255",
                               "::",
                               "::1",
                               "::ffff:127.0.0.1",
                               "::ffff:10.1.2.3",
                               "::127.0.0.1",
                               "64:ff9b::10.0.0.1",
                               "fe80::1",
                               "fc00::1",
                               "fd12:3456::1",
                               "ff02::1",
                               "2001:db8::1",
                               "2001::1",
                               "2002:7f00:1::1",
                               "2002:c0a8:101::1",
                               "fec0::1",
                               "3fff:0fff::1"}) {
        INFO(inside);
        CHECK(!allowed(inside));
        CHECK(allowed(inside, {false, true}));
    }
    for (const char* outside :
         {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "172.15.255.255",
          "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255", "2600::1", "2a01:4f8::1", "::ffff:1.1.1.1",
          "64:ff9b::1.1.1.1", "2001:4860::8888", "2002:101:101::1"}) {
        INFO(outside);
        CHECK(allowed(outside));
    }
    sockaddr local{};
    local.sa_family = AF_UNIX;
    CHECK(!may_connect(&local, {true, true}));
}

TEST_CASE("an endpoint is an https URL and nothing that could mean something else") {
    const auto refused = [](const std::string& url, const Rules& rules = {}) {
        const auto ok = check_url(url, rules);
        return ok ? std::string() : std::string(ok.error().row().name);
    };
    CHECK(refused("https://push.example/up?token=abc").empty());
    CHECK(refused("https://push.example:8443/UP/x-_~").empty());
    CHECK(refused("http://push.example/up", {true, false}).empty());
    CHECK(refused("http://push.example/up") == "ERR_MALFORMED");
    for (const char* wrong :
         {"", "push.example", "ftp://push.example/x", "file:///etc/passwd", "gopher://push.example/", "https://",
          "https://user@push.example/", "https://user:word@push.example/", "https://push.example/#part",
          "https://push.example/a b", "https://push.example/a\r\nHost: b", "https://push.example:99999/",
          "https://push.example/\xc3\xa4"}) {
        INFO(wrong);
        CHECK(refused(wrong, {true, true}) == "ERR_MALFORMED");
    }
    CHECK(refused("https://push.example/" + std::string(1'100, 'x')) == "ERR_TOO_LARGE");
}

}  // namespace
}  // namespace nimes::gateway::wake
