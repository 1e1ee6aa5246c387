// What a message says, in types: between the sealed body (nimes.v1.Content) and the rest of the agent (FORMATS.md 2.7).
//
// The kind byte equals the field that is set; other kinds than those here are kept as Unknown and shown as "needs a
// newer version". Which of them act on an earlier message, and who may do so, is effects.hpp's to say.
// Pure; thread safe; hostile input: texts are bounded and valid UTF-8, lists bounded. Errors: Errc::malformed,
// too_large.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nimes/crypto.hpp"
#include "nimes/message.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::conversation {

// A message is named by its sender's device and its id, never by the id alone.
struct MessageRef {
    DeviceId device;
    MessageId message;
    auto operator<=>(const MessageRef&) const = default;
};

struct MediaRef {
    Key key;
    BlobId blob;
    std::uint64_t plain_length = 0;
    std::uint64_t padded_length = 0;
    Digest digest;
};

// How long a message lives once it was shown; 0: as policy and conversation say.
struct Lifetime {
    std::uint32_t expires_after_s = 0;
    bool view_once = false;
};

struct Text {
    std::string text;
    std::optional<MessageRef> reply_to{};
    std::vector<UserId> mentions{};
    Lifetime lifetime{};
};

// Photo, video, file; a voice message is audio/* with a duration.
struct Media {
    MediaRef ref;
    std::string caption;
    Bytes preview;
    std::string media_type;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t duration_ms = 0;
    Millis captured = 0;
    std::string file_name;
    Lifetime lifetime{};
};

struct Receipt {
    bool read = false;  // false: delivered
    struct Item {
        DeviceId device;
        MessageId message;
        ByteArray<16> digest{};  // of the wire message: members can compare
    };
    std::vector<Item> items;
};

struct Reaction {
    MessageRef message;
    std::string emoji;
    bool withdrawn = false;
};

// Of an own text or caption; the highest number counts.
struct Edit {
    MessageId message;
    std::string text;
    std::uint32_t number = 0;
};

// Of an own message; an administrator of the conversation may name any.
struct Delete {
    MessageRef message;
    bool report = false;  // a recall: devices say what became of it
};

struct EventNotice {
    std::uint64_t epoch = 0;
    Digest state;
    Bytes event;  // the ConvEvent itself if at most 4 KiB
};

// Of a group; administrators only. expires_after_s: of every message from now on.
struct Info {
    std::string title;
    std::optional<MediaRef> picture{};
    std::uint32_t expires_after_s = 0;
};

struct Poll {
    std::string question;
    std::vector<std::string> options;
    Millis ends = 0;  // 0: open
};

// The last vote of a user counts; none chosen withdraws it.
struct Vote {
    MessageRef poll;
    std::vector<std::uint32_t> choices;
};

enum class Recalled : std::uint8_t { delivered = 1, opened = 2, erased = 3 };
struct RecallReport {
    MessageRef message;
    Recalled state = Recalled::erased;
};

// Typing: never stored, ignored when older than kSignalLife.
struct Signal {};

// Sent on purpose, never by itself. WGS 84, degrees * 10,000,000.
struct Position {
    std::int32_t latitude_e7 = 0;
    std::int32_t longitude_e7 = 0;
    std::uint32_t accuracy_m = 0;  // 0: not known
    Millis taken = 0;
    std::string label;
};

struct Unknown {
    std::uint8_t kind = 0;
};

using Meaning = std::variant<Text, Media, Receipt, Reaction, Edit, Delete, EventNotice, Info, Poll, Vote, RecallReport,
                             Signal, Position, Unknown>;

struct Body {
    std::uint8_t kind = 0;
    Bytes bytes;  // nimes.v1.Content
};
Result<Body> encode(const Meaning& meaning);
Result<Meaning> decode(std::uint8_t kind, ByteView body);
// What encode() asks before, and decode() after.
Result<void> check(const Meaning& meaning);

inline constexpr std::size_t kMaxText = 60'000;
inline constexpr std::size_t kMaxCaption = 4'000;
inline constexpr std::size_t kMaxTitle = 200;
inline constexpr std::size_t kMaxPreview = 8'192;
inline constexpr std::size_t kMaxEmoji = 64;
inline constexpr std::size_t kMaxReceipts = 500;
inline constexpr std::size_t kMaxMentions = 100;
inline constexpr std::size_t kMaxOptions = 50;
inline constexpr std::size_t kMaxEventInside = 4'096;
inline constexpr Millis kSignalLife = 10 * kSecond;

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool valid_utf8(std::string_view text);

}  // namespace nimes::agent::conversation
