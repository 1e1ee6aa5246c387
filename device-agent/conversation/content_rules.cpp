// What may stand in a content: sizes, UTF-8, ranges. Alike for what is sent and what came.
#include "conversation/content.hpp"

namespace nimes::agent::conversation {
namespace {

constexpr std::int32_t kPole = 900'000'000, kDateLine = 1'800'000'000;

Result<void> text(std::string_view value, std::size_t most, const char* what) {
    if (value.size() > most) return fail(Errc::too_large, what);
    if (!valid_utf8(value)) return fail(Errc::malformed, what);
    return {};
}

Result<void> medium(const MediaRef& ref) {
    if (ref.padded_length != padme(ref.plain_length)) return fail(Errc::malformed, "a medium's padded length");
    return {};
}

Result<void> judge(const Text& t) {
    if (t.mentions.size() > kMaxMentions) return fail(Errc::too_large, "a text mentions at most 100 people");
    return text(t.text, kMaxText, "a text has at most 60,000 bytes of UTF-8");
}
Result<void> judge(const Media& m) {
    if (auto ok = text(m.caption, kMaxCaption, "a caption has at most 4,000 bytes of UTF-8"); !ok) return ok;
    if (auto ok = text(m.file_name, kMaxTitle, "a file name has at most 200 bytes of UTF-8"); !ok) return ok;
    if (auto ok = text(m.media_type, kMaxTitle, "the media type"); !ok) return ok;
    if (m.preview.size() > kMaxPreview) return fail(Errc::too_large, "the preview");
    return medium(m.ref);
}
Result<void> judge(const Receipt& r) {
    if (r.items.empty()) return fail(Errc::malformed, "a receipt of nothing");
    if (r.items.size() > kMaxReceipts) return fail(Errc::too_large, "a receipt");
    return {};
}
Result<void> judge(const Reaction& r) {
    if (r.emoji.empty() && !r.withdrawn) return fail(Errc::malformed, "a reaction without an emoji");
    return text(r.emoji, kMaxEmoji, "a reaction has at most 64 bytes of UTF-8");
}
Result<void> judge(const Edit& e) {
    if (e.number == 0) return fail(Errc::malformed, "edits are numbered from 1");
    return text(e.text, kMaxText, "a text has at most 60,000 bytes of UTF-8");
}
Result<void> judge(const Delete&) { return {}; }
Result<void> judge(const EventNotice& e) {
    if (e.event.size() > kMaxEventInside) return fail(Errc::too_large, "an event inside a message");
    return {};
}
Result<void> judge(const Info& i) {
    if (i.picture)
        if (auto ok = medium(*i.picture); !ok) return ok;
    return text(i.title, kMaxTitle, "a title has at most 200 bytes of UTF-8");
}
Result<void> judge(const Poll& p) {
    if (p.options.size() < 2 || p.options.size() > kMaxOptions)
        return fail(Errc::malformed, "a poll has 2 to 50 options");
    for (const auto& option : p.options) {
        if (option.empty()) return fail(Errc::malformed, "an option without a name");
        if (auto ok = text(option, kMaxTitle, "an option has at most 200 bytes of UTF-8"); !ok) return ok;
    }
    return text(p.question, kMaxCaption, "a question has at most 4,000 bytes of UTF-8");
}
Result<void> judge(const Vote& v) {
    if (v.choices.size() > kMaxOptions) return fail(Errc::too_large, "a vote");
    for (std::size_t i = 0; i < v.choices.size(); ++i)
        if (v.choices[i] >= kMaxOptions || (i > 0 && v.choices[i] <= v.choices[i - 1]))
            return fail(Errc::malformed, "choices ascend and are named once");
    return {};
}
Result<void> judge(const RecallReport& r) {
    if (r.state < Recalled::delivered || r.state > Recalled::erased) return fail(Errc::malformed, "a recall report");
    return {};
}
Result<void> judge(const Signal&) { return {}; }
Result<void> judge(const Position& p) {
    if (p.latitude_e7 < -kPole || p.latitude_e7 > kPole || p.longitude_e7 < -kDateLine || p.longitude_e7 > kDateLine)
        return fail(Errc::malformed, "no place on earth");
    return text(p.label, kMaxTitle, "a label has at most 200 bytes of UTF-8");
}
Result<void> judge(const Unknown&) { return fail(Errc::malformed, "an unknown kind is never sent"); }

}  // namespace

Result<void> check(const Meaning& meaning) {
    return std::visit([](const auto& m) { return judge(m); }, meaning);
}

bool valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t follow = c < 0x80                ? 0
                                   : c >= 0xc2 && c < 0xe0 ? 1
                                   : c >= 0xe0 && c < 0xf0 ? 2
                                   : c >= 0xf0 && c < 0xf5 ? 3
                                                           : 9;
        if (follow == 9 || i + follow >= text.size()) return false;
        std::uint32_t point = follow == 0 ? c : c & (0x3fu >> follow);
        for (std::size_t k = 1; k <= follow; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xc0) != 0x80) return false;
            point = point << 6 | (next & 0x3f);
        }
        const bool overlong = (follow == 2 && point < 0x800) || (follow == 3 && (point < 0x10000 || point > 0x10ffff));
        if (overlong || (point >= 0xd800 && point < 0xe000)) return false;
        i += follow + 1;
    }
    return true;
}

}  // namespace nimes::agent::conversation
