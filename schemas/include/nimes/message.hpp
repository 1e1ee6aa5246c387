// Message: header (32), content and its padding (FORMATS.md, "Chain and message").
//
// Layouts only; sealing and opening are the agent's sealing room. The gateway reads the header alone.
// Errors: Errc::malformed, unknown_version, too_large. Pure; thread safe.
#pragma once

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

struct MessageHeader {
    static constexpr std::size_t kBytes = 32;

    ChainId chain;
    std::uint32_t index = 0;
    ByteArray<8> guard{};

    bool operator==(const MessageHeader&) const = default;
    static Result<MessageHeader> parse(ByteView bytes32);
    [[nodiscard]] Bytes encode() const;
};

inline constexpr std::size_t kMessageOverhead = 112;  // header 32, tag 16, signature 64
inline constexpr std::size_t kContentFixed = 56;
inline constexpr std::size_t kMaxContent = 63'488;  // padded
inline constexpr std::size_t kMaxMessage = kMaxContent + kMessageOverhead;

// A whole wire message: bounds and header; the ciphertext and the signature are views into `bytes`.
struct WireMessage {
    MessageHeader header;
    ByteView header_bytes;  // 32
    ByteView ciphertext;    // with tag
    Signature signature;
    static Result<WireMessage> parse(ByteView bytes);
};

// H("NM1/msgdig", wire)
Digest message_digest(ByteView wire);

enum class ContentKind : std::uint8_t {
    text = 1,
    media,
    receipt,
    reaction,
    edit,
    delete_for_all,
    event,
    info,
    poll,
    vote,
    recall_report,
    signal,
    position
};

struct Content {
    std::uint8_t kind = 0;  // known ones: ContentKind; others are kept and shown as "needs a newer version"
    bool resent = false;    // flags bit 0
    Millis sent = 0;
    std::uint64_t conv_epoch = 0;
    MessageId id;
    ByteArray<16> prev_own{};
    Bytes body;  // nimes.v1.Content

    bool operator==(const Content&) const = default;
    // Padded to padded_length(56 + body); Errc::too_large above kMaxContent.
    [[nodiscard]] Result<Bytes> encode() const;
    // Refuses another length than the padding asks for, non-zero padding, unknown flags.
    static Result<Content> parse(ByteView padded);
};

// The next of 128, 256, 512, 1,024; above that Padmé.
std::size_t padded_length(std::size_t length);
// Padmé alone: E = ⌊log2 L⌋, S = ⌊log2 E⌋ + 1, L rounded up to a multiple of 2^(E−S); 0 and 1 stay.
std::uint64_t padme(std::uint64_t length);

}  // namespace nimes
