// Messages as rows of the container: one by its sender's device and id, many by what is still to be done with them.
//
// Call with the core's lock held, within a transaction. Errors are the store's.
#pragma once

#include "container/container.hpp"
#include "engine/records.hpp"

namespace nimes::agent::engine {

struct MessageRow {
    std::uint64_t row = 0;
    std::uint32_t expiry_day = 0;
    StoredMessage message;
};

// Answers the row's id: the number by which a person names the message.
Result<std::uint64_t> put_message(container::Transaction& tx, const StoredMessage& message, std::uint32_t expiry_day);
Result<std::optional<MessageRow>> find_message(container::Transaction& tx, const DeviceId& device, const MessageId& id);
Result<std::optional<MessageRow>> message_at(container::Transaction& tx, std::uint64_t row);

enum class Due : std::uint8_t { receipt = 1, report = 2, vanish = 3, missing = 4 };
// At most `limit`, oldest first.
Result<std::vector<MessageRow>> messages_due(container::Transaction& tx, Due what, std::size_t limit);
// Is the message whose wire bytes had this digest here?
Result<bool> has_digest(container::Transaction& tx, const ByteArray<16>& digest);
// How to open a medium that a message named.
Result<void> put_medium(container::Transaction& tx, const ConversationId& conversation,
                        const conversation::MediaRef& ref, std::uint32_t expiry_day);
// What this device sealed under one of its chains.
Result<std::vector<MessageRow>> messages_of_chain(container::Transaction& tx, const ChainId& chain);

}  // namespace nimes::agent::engine
