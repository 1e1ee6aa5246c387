// What the engine keeps in the container, row by row (LAYOUT.md). Values; pure. Errors: Errc::malformed by parse.
#pragma once

#include <optional>
#include <string>

#include "nimes/device_record.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::engine {

// What the door holds beside the identity key: who this device is, and an enrolment under way.
struct DoorInfo {
    Bytes provisioning;
    std::string address;
    std::optional<DeviceCert> cert;  // once enrolled
    ByteArray<16> ticket{};
    Bytes body;  // the 128 bytes that wait for a voucher

    [[nodiscard]] Bytes encode() const;
    static Result<DoorInfo> parse(ByteView bytes);
};

enum class MessageState : std::uint8_t { opened = 1, unreadable = 2, withheld = 3, sending = 4, sent = 5, refused = 6 };
std::string_view name(MessageState state);

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
    Bytes body;  // nimes.v1.Content

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

    [[nodiscard]] Bytes encode() const;
    static Result<OutboxItem> parse(ByteView bytes);
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
