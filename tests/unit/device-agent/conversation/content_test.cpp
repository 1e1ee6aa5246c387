// What a message says, and what is refused before anybody sees it.
#include "conversation/content.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::conversation;

namespace {

template <class IdType>
IdType made(std::uint8_t n) {
    IdType out;
    out.bytes.fill(n);
    return out;
}

Meaning round_trip(const Meaning& meaning) {
    const auto body = encode(meaning).value();
    return decode(body.kind, body.bytes).value();
}

MediaRef medium(std::uint64_t length) {
    MediaRef out;
    out.blob = made<BlobId>(7);
    out.plain_length = length;
    out.padded_length = padme(length);
    out.digest = made<Digest>(8);
    return out;
}

const MessageRef kRef{made<DeviceId>(1), made<MessageId>(2)};

}  // namespace

TEST_CASE("content: a text, a reply and a medium come back as they were said") {
    Text said{"Gänsemarkt 😀", kRef, {made<UserId>(3), made<UserId>(4)}, {3'600, true}};
    const auto round = round_trip(said);
    const auto& text = std::get<Text>(round);
    CHECK(text.text == "Gänsemarkt 😀");
    CHECK(text.reply_to == kRef);
    CHECK(text.mentions == said.mentions);
    CHECK(text.lifetime.expires_after_s == 3'600);
    CHECK(text.lifetime.view_once);

    Media media;
    media.ref = medium(1'000);
    media.caption = "von vorn";
    media.media_type = "audio/ogg";
    media.duration_ms = 4'200;
    media.file_name = "notiz.ogg";
    const auto medium_round = round_trip(std::move(media));
    const auto& back = std::get<Media>(medium_round);
    CHECK(back.caption == "von vorn");
    CHECK(back.duration_ms == 4'200);
    CHECK(back.ref.blob == made<BlobId>(7));
    CHECK(back.ref.digest == made<Digest>(8));
    CHECK(back.file_name == "notiz.ogg");
}

TEST_CASE("content: every act comes back with what it is about") {
    Receipt receipt{true, {{kRef.device, kRef.message, {9}}, {kRef.device, made<MessageId>(5), {}}}};
    const auto r = round_trip(receipt);
    CHECK(std::get<Receipt>(r).read);
    REQUIRE(std::get<Receipt>(r).items.size() == 2);
    CHECK(std::get<Receipt>(r).items[0].digest == ByteArray<16>{9});

    const auto reaction = round_trip(Reaction{kRef, "👍", false});
    CHECK(std::get<Reaction>(reaction).message == kRef);
    CHECK(std::get<Reaction>(reaction).emoji == "👍");
    const auto edit = round_trip(Edit{kRef.message, "anders", 3});
    CHECK(std::get<Edit>(edit).number == 3);
    const auto gone = round_trip(Delete{kRef, true});
    CHECK(std::get<Delete>(gone).message == kRef);
    CHECK(std::get<Delete>(gone).report);
    const auto notice = round_trip(EventNotice{4, made<Digest>(1), {1, 2, 3}});
    CHECK(std::get<EventNotice>(notice).epoch == 4);
    CHECK(std::get<EventNotice>(notice).event == Bytes{1, 2, 3});
    const auto info = round_trip(Info{"Einsatz", medium(500), 86'400});
    CHECK(std::get<Info>(info).title == "Einsatz");
    CHECK(std::get<Info>(info).picture->plain_length == 500);
    CHECK(std::get<Info>(info).expires_after_s == 86'400);
    const auto poll = round_trip(Poll{"Wer fährt?", {"ich", "du"}, 99});
    CHECK(std::get<Poll>(poll).options == std::vector<std::string>{"ich", "du"});
    CHECK(std::get<Poll>(poll).ends == 99);
    const auto vote = round_trip(Vote{kRef, {0, 3}});
    CHECK(std::get<Vote>(vote).choices == std::vector<std::uint32_t>{0, 3});
    const auto report = round_trip(RecallReport{kRef, Recalled::opened});
    CHECK(std::get<RecallReport>(report).state == Recalled::opened);
    CHECK(std::holds_alternative<Signal>(round_trip(Signal{})));
    const auto place = round_trip(Position{535'500'000, -99'900'000, 12, 77, "Rathaus"});
    CHECK(std::get<Position>(place).latitude_e7 == 535'500'000);
    CHECK(std::get<Position>(place).longitude_e7 == -99'900'000);
    CHECK(std::get<Position>(place).label == "Rathaus");
}

TEST_CASE("content: a kind that does not fit its content is malformed, one of a newer version is kept") {
    const auto text = encode(Text{"x"}).value();
    for (int kind = 0; kind < 14; ++kind) {
        INFO(kind);
        CHECK(decode(static_cast<std::uint8_t>(kind), text.bytes).has_value() == (kind == 1));
    }
    CHECK(std::get<Unknown>(decode(99, text.bytes).value()).kind == 99);
    CHECK_FALSE(encode(Unknown{7}));
}

TEST_CASE("content: texts are bounded and well-formed UTF-8") {
    CHECK_FALSE(encode(Text{std::string(kMaxText + 1, 'x')}));
    for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\xe0\x80\xaf"}) {
        CHECK_FALSE(valid_utf8(bad));
        CHECK_FALSE(encode(Text{bad}));
        CHECK_FALSE(encode(Edit{kRef.message, bad, 1}));
        CHECK_FALSE(encode(Reaction{kRef, bad, false}));
        CHECK_FALSE(encode(Info{bad}));
        CHECK_FALSE(encode(Poll{bad, {"a", "b"}, 0}));
        CHECK_FALSE(encode(Position{0, 0, 0, 0, bad}));
    }
}

TEST_CASE("content: what cannot be is refused by sender and receiver alike") {
    Media wrong;
    wrong.ref = medium(1'000);
    wrong.ref.padded_length = 1'000'000;
    CHECK_FALSE(encode(Meaning(std::move(wrong))));
    CHECK_FALSE(encode(Receipt{false, {}}));
    CHECK_FALSE(encode(Receipt{false, std::vector<Receipt::Item>(kMaxReceipts + 1)}));
    CHECK_FALSE(encode(Reaction{kRef, "", false}));
    CHECK(encode(Reaction{kRef, "", true}));
    CHECK_FALSE(encode(Edit{kRef.message, "x", 0}));
    CHECK_FALSE(encode(EventNotice{1, {}, Bytes(kMaxEventInside + 1)}));
    CHECK_FALSE(encode(Poll{"q", {"nur eine"}, 0}));
    CHECK_FALSE(encode(Poll{"q", {"a", ""}, 0}));
    CHECK_FALSE(encode(Poll{"q", std::vector<std::string>(kMaxOptions + 1, "o"), 0}));
    CHECK_FALSE(encode(Vote{kRef, {1, 1}}));
    CHECK_FALSE(encode(Vote{kRef, {2, 1}}));
    CHECK_FALSE(encode(Vote{kRef, {kMaxOptions}}));
    CHECK_FALSE(encode(RecallReport{kRef, static_cast<Recalled>(4)}));
    CHECK_FALSE(encode(Position{900'000'001, 0, 0, 0, ""}));
    CHECK_FALSE(encode(Position{0, -1'800'000'001, 0, 0, ""}));
    CHECK_FALSE(encode(Text{"x", {}, std::vector<UserId>(kMaxMentions + 1), {}}));
}
