// What devices say to one device alone: key requests and history offers, each sealed to the receiver's seal key
// (FORMATS.md 2.9). The type byte picks the parser; nothing of this is ever content.
//
// parse() judges form alone; who may ask is decided by the agent. Errors: Errc::malformed, undecryptable. Pure; thread
// safe.
#pragma once

#include <string>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

enum class ControlType : std::uint8_t { key_request = 3, history_offer = 4 };

// type ver suite 0 | receiver dev16 | key_id u32 | crypto_box_seal(record). `sealed` is a view into the bytes given.
struct SealedControl {
    static constexpr std::size_t kHeader = 24;
    static constexpr std::size_t kMax = kHeader + 272 + crypto_box_SEALBYTES;

    ControlType type = ControlType::key_request;
    DeviceId receiver;
    std::uint32_t key_id = 0;
    ByteView sealed;

    static Result<SealedControl> parse(ByteView bytes);
};
Bytes seal_control(ControlType type, const DeviceId& receiver, std::uint32_t key_id, const SealPublicKey& key,
                   ByteView record);
Result<Bytes> open_control(const SealedControl& control, const SealPublicKey& key, const SealSecretKey& secret);

enum class RequestKind : std::uint8_t { chain = 1, messages = 2 };

// "I miss your chain", or "I miss messages of it from have_index on".
struct KeyRequest {
    static constexpr std::size_t kBytes = 204;
    static constexpr std::size_t kBody = 140;

    RequestKind kind = RequestKind::chain;
    DeviceId owner;
    DeviceId requester;
    ConversationId conversation;
    ChainId chain;
    std::uint32_t have_index = 0;
    ByteArray<16> nonce{};
    Millis ts = 0;
    std::uint64_t dir_revision = 0;
    Digest dir_head;
    Signature signature;

    bool operator==(const KeyRequest&) const = default;
    static Result<KeyRequest> parse(ByteView bytes204);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
};
Signature sign_key_request(const SigningKey& identity, ByteView body140);
[[nodiscard]] bool verify_key_request(const KeyRequest& request, const PublicKey& identity);

// From a person's old device to the new one: where the history lies and how it opens.
struct HistoryOffer {
    static constexpr std::size_t kBytes = 272;
    static constexpr std::size_t kBody = 208;
    static constexpr Millis kMaxLife = kHour;

    UserId user;
    DeviceId old_device;
    DeviceId new_device;
    Digest new_cert;  // SHA-256 of the DeviceCert
    BlobId blob;
    Key key;
    std::uint64_t plain_length = 0;
    std::uint64_t padded_length = 0;
    Digest blob_digest;
    Millis from = 0;
    Millis issued = 0;
    Millis expires = 0;
    Signature signature;

    static Result<HistoryOffer> parse(ByteView bytes272);
    // Holds the blob's key: the caller wipes it. Like encode().
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
};
Signature sign_history_offer(const SigningKey& identity, ByteView body208);
[[nodiscard]] bool verify_history_offer(const HistoryOffer& offer, const PublicKey& identity);
// What both screens show: H("NM1/histcode", old ‖ new ‖ new_cert); typed as its first 60 bits, 12 characters.
Digest history_code(const DeviceId& old_device, const DeviceId& new_device, const Digest& new_cert);
std::string history_code_text(const Digest& code);

}  // namespace nimes
