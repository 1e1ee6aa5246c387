// nimes.v1.Up as bytes (transport.proto). Pure; thread safe.
#pragma once

#include "conversation/roster_state.hpp"

namespace nimes::agent::engine {

enum class Submission : std::uint8_t { grant, message, event, signal };

// Grants, events and messages of a conversation share the chat lane; a message with a medium too: its order counts.
Bytes submit_packet(const MessageId& id, const conversation::ConversationState& to, Submission kind, ByteView payload,
                    const BlobId& medium);
// To one device of the conversation alone: re-send chains and what they carry, key requests, history offers.
enum class Direct : std::uint8_t { grant, message, control };
Bytes direct_packet(const MessageId& id, const conversation::ConversationState& of, Direct kind, const DeviceId& device,
                    ByteView payload);
// The event in such a packet; nullopt for what carries none.
std::optional<ConvEvent> event_in(ByteView packet);
// Such a packet is never stored by the gateway.
bool is_signal(ByteView packet);
// The same packet, to be accepted only after that submission.
Bytes submit_after(ByteView packet, const MessageId& before);
Bytes hello_packet(const std::map<std::uint8_t, std::uint64_t>& marks, std::uint64_t head_revision,
                   std::uint64_t policy_serial = 0);
// `gap`: something behind these marks got lost on the way.
Bytes ack_packet(const std::map<std::uint8_t, std::uint64_t>& marks, bool gap = false);

}  // namespace nimes::agent::engine
