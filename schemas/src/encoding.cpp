#include "nimes/encoding.hpp"

#include <algorithm>

namespace nimes {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(ByteView in, std::string_view alphabet, unsigned bits) {
    std::string out;
    out.reserve((in.size() * 8 + bits - 1) / bits);
    unsigned held = 0;
    std::uint32_t buffer = 0;
    for (const auto byte : in) {
        buffer = buffer << 8 | byte;
        held += 8;
        while (held >= bits) {
            held -= bits;
            out.push_back(alphabet[buffer >> held & ((1U << bits) - 1)]);
        }
        buffer &= (1U << held) - 1;
    }
    if (held > 0) out.push_back(alphabet[buffer << (bits - held) & ((1U << bits) - 1)]);
    return out;
}

Result<Bytes> decode(std::string_view text, std::string_view alphabet, unsigned bits) {
    const std::size_t length = text.size() * bits / 8;
    // A text longer than its bytes need would be a second encoding of the same value.
    if ((length * 8 + bits - 1) / bits != text.size()) return fail(Errc::malformed, "text has an impossible length");
    Bytes out;
    out.reserve(length);
    unsigned held = 0;
    std::uint32_t buffer = 0;
    for (const char c : text) {
        const auto at = alphabet.find(c);
        if (at == std::string_view::npos) return fail(Errc::malformed, "text has a character outside its alphabet");
        buffer = buffer << bits | static_cast<std::uint32_t>(at);
        held += bits;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<std::uint8_t>(buffer >> held));
            buffer &= (1U << held) - 1;
        }
    }
    if (buffer != 0) return fail(Errc::malformed, "text has unused bits that are not zero");
    return out;
}

}  // namespace

std::string to_hex(ByteView in) { return encode(in, kHex, 4); }
std::string to_base64url(ByteView in) { return encode(in, kBase64, 6); }
std::string to_base32(ByteView in) { return encode(in, kBase32, 5); }

Result<Bytes> from_hex(std::string_view text) { return decode(text, kHex, 4); }
Result<Bytes> from_base64url(std::string_view text) { return decode(text, kBase64, 6); }
Result<Bytes> from_base32(std::string_view text) { return decode(text, kBase32, 5); }

Result<DeviceId> device_from_text(std::string_view text) {
    auto bytes = from_base32(text);
    if (!bytes) return pass(bytes);
    if (bytes->size() != DeviceId::size) return fail(Errc::malformed, "a device id has 26 characters");
    return DeviceId::from(*bytes);
}

}  // namespace nimes
