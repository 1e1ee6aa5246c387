// What a message says, and what is refused before anybody sees it.
#include "conversation/content.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::conversation;

TEST_CASE("content: what was said comes back, and a kind that does not fit its content is malformed") {
    const auto round_trip = [](const Meaning& meaning) {
        const auto body = encode(meaning).value();
        return decode(body.kind, body.bytes).value();
    };
    CHECK(std::get<Text>(round_trip(Text{"Gänsemarkt 😀"})).text == "Gänsemarkt 😀");
    CHECK(std::get<Info>(round_trip(Info{"Einsatz"})).title == "Einsatz");
    Media media;
    media.plain_length = 1'000;
    media.padded_length = padme(1'000);
    media.caption = "von vorn";
    CHECK(std::get<Media>(round_trip(std::move(media))).caption == "von vorn");

    const auto text = encode(Text{"x"}).value();
    CHECK_FALSE(decode(2, text.bytes));
    CHECK_FALSE(decode(0, text.bytes));
    CHECK(std::get<Unknown>(decode(99, text.bytes).value()).kind == 99);  // a newer version's
    CHECK_FALSE(encode(Text{std::string(kMaxText + 1, 'x')}));
    CHECK_FALSE(encode(Unknown{7}));
    for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\xe0\x80\xaf"}) {
        CHECK_FALSE(valid_utf8(bad));
        CHECK_FALSE(encode(Text{bad}));
    }
    Media wrong;
    wrong.plain_length = 1'000;
    wrong.padded_length = 1'000'000;
    CHECK_FALSE(encode(Meaning(std::move(wrong))));
}
