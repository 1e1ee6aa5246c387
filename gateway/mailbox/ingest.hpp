// Message, step 4, ingest: the bytes of n/<device>/up become a command, or a refusal. (Before: the plugin's acl.cpp.
// Next: expand.cpp.)
//
// Hostile input: every length is bounded before it is used, every payload parsed before it is kept.
// Pure; thread safe. Errors: Errc::malformed, too_large; `message_id` in the refusal when the packet named one.
#pragma once

#include <optional>
#include <variant>

#include "nimes/conversation_event.hpp"
#include "nimes/grant.hpp"
#include "nimes/message.hpp"

namespace nimes::gateway::mailbox {

enum class Lane : std::uint8_t { urgent = 1, chat = 2, media = 3 };
inline constexpr Lane kLanes[] = {Lane::urgent, Lane::chat, Lane::media};

struct Mark {
    Lane lane = Lane::chat;
    std::uint64_t sequence = 0;
    bool operator==(const Mark&) const = default;
};

struct Hello {
    std::vector<Mark> held;
    std::uint64_t head_revision = 0;
    std::uint64_t policy_serial = 0;
};

struct Ack {
    std::vector<Mark> held;
    bool gap = false;
};

enum class Payload : std::uint8_t { grant = 1, message = 2, event = 3, control = 4, signal = 5 };

struct Submit {
    MessageId id;
    Lane lane = Lane::chat;
    ConversationId conversation;
    std::vector<UserId> pair;  // both users, or one for notes to oneself; empty: the conversation's roster
    Payload kind = Payload::message;
    Bytes payload;
    DeviceId device;  // the only recipient; zero: all
    std::vector<BlobId> media;
    MessageId after;  // must be accepted before; zero: none
};

using Command = std::variant<Hello, Submit, Ack>;

struct Refused {
    std::optional<MessageId> id;  // to be answered Rejected; nullopt: only counted
    Error error;
};

std::variant<Command, Refused> decode_up(const DeviceId& sender, ByteView packet);

}  // namespace nimes::gateway::mailbox
