#include "nimes/encoding.hpp"

#include <catch2/catch.hpp>

using namespace nimes;

TEST_CASE("encodings go there and back, and accept one text for each value", "[encoding]") {
    for (std::size_t n = 0; n < 40; ++n) {
        Bytes in(n);
        for (std::size_t i = 0; i < n; ++i) in[i] = static_cast<std::uint8_t>(i * 37 + n);
        CHECK(from_hex(to_hex(in)).value() == in);
        CHECK(from_base32(to_base32(in)).value() == in);
        CHECK(from_base64url(to_base64url(in)).value() == in);
    }
    CHECK(to_base64url(Bytes{0xfb, 0xff}) == "-_8");
    CHECK(from_base64url("-_8").value() == Bytes{0xfb, 0xff});
    for (const auto* bad : {"-_9", "-_8=", "-_8 ", "a", "+/8"}) CHECK_FALSE(from_base64url(bad));
    for (const auto* bad : {"0", "0G", "AB", " 00"}) CHECK_FALSE(from_hex(bad));
    for (const auto* bad : {"a", "ab1", "AA", "ab======"}) CHECK_FALSE(from_base32(bad));
    CHECK(to_text(DeviceId{}).size() == 26);
}
