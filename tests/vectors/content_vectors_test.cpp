#include <catch2/catch.hpp>

#include "conversation/content.hpp"
#include "golden.hpp"

using namespace nimes;
using namespace nimes::test;
namespace says = nimes::agent::conversation;

namespace {

const nlohmann::json& bodies() {
    static const auto v = golden("content.json")["bodies"];
    return v;
}

template <class MeaningType>
MeaningType body_of(ContentKind kind) {
    const auto& row = bodies()[static_cast<std::size_t>(kind) - 1];
    auto meaning = says::decode(static_cast<std::uint8_t>(kind), bytes(row["body"]));
    REQUIRE(meaning);
    REQUIRE(std::holds_alternative<MeaningType>(*meaning));
    return std::get<MeaningType>(std::move(*meaning));
}

}  // namespace

TEST_CASE("golden: a body of every kind of content, and the content around it", "[vectors]") {
    CHECK(bodies().size() == static_cast<std::size_t>(ContentKind::position));
    for (const auto& row : bodies()) {
        INFO(row["name"]);
        const auto kind = row["kind"].get<std::uint8_t>();
        const auto content = Content::parse(bytes(row["content"])).value();
        CHECK(content.kind == kind);
        CHECK(content.resent == (kind % 2 == 1));
        CHECK(content.body == bytes(row["body"]));
        CHECK(content.encode().value() == bytes(row["content"]));
        const auto meaning = says::decode(kind, content.body);
        REQUIRE(meaning);
        const auto again = says::encode(*meaning).value();
        CHECK(again.kind == kind);
        CHECK(again.bytes == content.body);
        // The kind byte is the number of the field that is set.
        const auto other = static_cast<std::uint8_t>(kind % 13 + 1);
        CHECK_FALSE(says::decode(other, content.body));
    }
}

TEST_CASE("golden: what the bodies say", "[vectors]") {
    const auto device = id<DeviceId>(golden("identity.json")["device_a"]);
    const auto text = body_of<says::Text>(ContentKind::text);
    CHECK(text.text == "Streife 12, bitte melden. Grüße – 👮");
    REQUIRE(text.reply_to);
    CHECK(text.reply_to->device == device);
    CHECK(text.mentions == std::vector{id<UserId>(golden("identity.json")["user"])});
    CHECK((text.lifetime.expires_after_s == 3'600 && text.lifetime.view_once));
    const auto media = body_of<says::Media>(ContentKind::media);
    CHECK(media.ref.key.equals(Bytes(32, 0x31)));
    CHECK((media.ref.plain_length == 150'000 && media.ref.padded_length == 151'552));
    CHECK((media.width == 1'920 && media.height == 1'080 && media.duration_ms == 4'000));
    CHECK((media.caption == "Kennzeichen" && media.file_name == "foto.jpg" && media.media_type == "image/jpeg"));
    const auto receipt = body_of<says::Receipt>(ContentKind::receipt);
    CHECK((receipt.read && receipt.items.size() == 2 && receipt.items[1].digest[0] == 0x36));
    CHECK(body_of<says::Reaction>(ContentKind::reaction).emoji == "👍");
    CHECK(body_of<says::Edit>(ContentKind::edit).number == 2);
    CHECK(body_of<says::Delete>(ContentKind::delete_for_all).report);
    CHECK(body_of<says::EventNotice>(ContentKind::event).event == bytes(golden("conversation.json")["event"]["bytes"]));
    CHECK(body_of<says::Info>(ContentKind::info).title == "Nachtdienst");
    CHECK(body_of<says::Poll>(ContentKind::poll).options == std::vector<std::string>{"um acht", "um neun"});
    CHECK(body_of<says::Vote>(ContentKind::vote).choices == std::vector<std::uint32_t>{0, 1, 49});
    CHECK(body_of<says::RecallReport>(ContentKind::recall_report).state == says::Recalled::erased);
    (void)body_of<says::Signal>(ContentKind::signal);
    const auto position = body_of<says::Position>(ContentKind::position);
    CHECK((position.latitude_e7 == 525'200'080 && position.longitude_e7 == -134'049'540));
}
