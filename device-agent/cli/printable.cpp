#include "cli/printable.hpp"

#include <cstdint>

namespace nimes::agent::cli {
namespace {

struct Character {
    char32_t code = 0;
    std::size_t length = 0;  // 0: no UTF-8
};

Character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    auto code = static_cast<char32_t>(lead & (0x7f >> length));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = (code << 6) | (byte(i) & 0x3fU);
    }
    constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < kSmallest[length] || code > 0x10ffff || surrogate) return {};
    return {code, length};
}

bool steers(char32_t c) {
    const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
    const bool line_end = c == 0x2028 || c == 0x2029;
    const bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return control || line_end || direction;
}

std::string shown(std::string_view text, bool lines) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (lines && text.starts_with("\r\n")) text.remove_prefix(1);
        const auto [code, length] = first_of(text);
        if (lines && code == '\n') out += "\n    ";
        else if (length == 0 || steers(code)) out += '?';
        else out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

}  // namespace

std::string printable(std::string_view text) { return shown(text, false); }
std::string printable_text(std::string_view text) { return shown(text, true); }

}  // namespace nimes::agent::cli
