// What the engine keeps in the container, row by row (LAYOUT.md). Values; pure. Errors: Errc::malformed by parse.
#pragma once

#include <optional>
#include <string>

#include "conversation/effects.hpp"
#include "nimes/device_record.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::engine {

// What the door holds beside the identity key: who this device is, and an enrolment under way.
struct DoorInfo {
    Bytes provisioning;
    std::string address;
    std::optional<DeviceCert> cert;  // once enrolled
    ByteArray<16> ticket{};
    Bytes body;    // the 128 bytes that wait for a voucher
    Bytes policy;  // the newest signed one; empty: the provisioning file's counts

    [[nodiscard]] Bytes encode() const;
    static Result<DoorInfo> parse(ByteView bytes);
};

enum class MessageState : std::uint8_t {
    opened = 1,
    unreadable = 2,
    withheld = 3,
    sending = 4,
    sent = 5,
    refused = 6,
    deleted = 7,  // its content is gone; that it was is kept
    vanished = 8,
    awaited = 9,  // it came and cannot be opened yet: what is missing was asked for
};
std::string_view name(MessageState state);

// What this device still owes the sender of a message, or has said already.
enum class ReceiptDue : std::uint8_t { none = 0, delivered_due = 1, delivered_said = 2, read_due = 3, read_said = 4 };

struct StoredMessage {
    ConversationId conversation;
    UserId user;
    DeviceId device;
    MessageId id;
    Millis sent = 0;
    Millis received = 0;
    std::uint64_t conv_epoch = 0;
    MessageState state = MessageState::opened;
    std::uint8_t kind = 0;
    ChainId chain;  // that it was sealed under, and its place there
    std::uint32_t index = 0;
    ByteArray<16> digest{};  // of the wire message
    bool resent = false;
    ByteArray<16> missing_before{};  // digest of the one before it that never came; zero: nothing missing
    ReceiptDue receipt = ReceiptDue::none;
    std::uint32_t expires_after_s = 0;  // from `shown`; 0: with the retention
    Millis shown = 0;
    UserId report_to;      // of a recall: who still has to be told what became of this; zero: nobody
    DeviceId attested_by;  // imported: the own device that says so; zero: authenticated here
    Bytes body;            // nimes.v1.Content

    [[nodiscard]] Bytes key() const;
    static Bytes key(const DeviceId& device, const MessageId& id);
    [[nodiscard]] Bytes encode() const;
    static Result<StoredMessage> parse(ByteView bytes);
};

// One Up that the gateway has not accepted yet.
struct OutboxItem {
    MessageId id;
    ConversationId conversation;
    bool is_message = false;
    BlobId upload;  // must be there before the message goes; zero: nothing
    Bytes up;
    bool again = false;  // it was accepted before, by a gateway whose store went back since

    [[nodiscard]] Bytes encode() const;
    static Result<OutboxItem> parse(ByteView bytes);
};

// An act on a message that may not have come yet.
struct StoredAct {
    conversation::Act act;

    // Of the target, and within it the slot.
    static Bytes key(const conversation::MessageRef& target, const conversation::Act& act);
    static Bytes target(const conversation::MessageRef& target);
    [[nodiscard]] Result<Bytes> encode() const;
    static Result<StoredAct> parse(ByteView bytes);
};

// How to open a medium that a message named.
struct MediumItem {
    ConversationId conversation;
    Key key;
    std::uint64_t plain_length = 0;
    std::uint64_t padded_length = 0;
    Digest digest;

    [[nodiscard]] Bytes encode() const;
    static Result<MediumItem> parse(ByteView bytes);
};

}  // namespace nimes::agent::engine
