// What a message says, in types: between the sealed body (nimes.v1.Content) and the rest of the agent (FORMATS.md 2.7).
//
// The kind byte equals the field that is set; other kinds than those here are kept as Unknown and shown as "needs a
// newer version". Pure; thread safe; hostile input: texts are bounded and valid UTF-8. Errors: Errc::malformed,
// too_large.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "nimes/crypto.hpp"
#include "nimes/message.hpp"

namespace nimes::agent::conversation {

struct Text {
    std::string text;
};

struct Media {
    Key key;
    BlobId blob;
    std::uint64_t plain_length = 0;
    std::uint64_t padded_length = 0;
    Digest digest;
    std::string caption;
    Bytes preview;
    std::string media_type;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    Millis captured = 0;
    std::string file_name;
};

// Title of a group; administrators only.
struct Info {
    std::string title;
};

struct Receipt {
    bool read = false;  // false: delivered
    struct Item {
        DeviceId device;
        MessageId message;
        ByteArray<16> digest{};
    };
    std::vector<Item> items;
};

struct Unknown {
    std::uint8_t kind = 0;
};

using Meaning = std::variant<Text, Media, Info, Receipt, Unknown>;

struct Body {
    std::uint8_t kind = 0;
    Bytes bytes;  // nimes.v1.Content
};
Result<Body> encode(const Meaning& meaning);
Result<Meaning> decode(std::uint8_t kind, ByteView body);

inline constexpr std::size_t kMaxText = 60'000;
inline constexpr std::size_t kMaxCaption = 4'000;
inline constexpr std::size_t kMaxTitle = 200;
inline constexpr std::size_t kMaxPreview = 8'192;

bool valid_utf8(std::string_view text);

}  // namespace nimes::agent::conversation
