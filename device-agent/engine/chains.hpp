// Chains as rows of the container, under the state key: what this device sends with, and what it opens with.
//
// Call within a transaction. Encodings are wiped once they are sealed. Errors are the store's.
#pragma once

#include "container/transaction.hpp"
#include "sealing/chain.hpp"

namespace nimes::agent::engine {

inline constexpr std::uint32_t kColumnOwner = 1;  // of received chains: device, conversation, resend
Bytes owner_of(const DeviceId& device, const ConversationId& conversation, bool resend);

Result<std::optional<sealing::ReceivingChain>> find_receiving(container::Transaction& tx, const ChainId& id);
Result<void> put_receiving(container::Transaction& tx, const sealing::ReceivingChain& chain, Millis retention);

Result<std::optional<sealing::SendingChain>> find_sending(container::Transaction& tx,
                                                          const ConversationId& conversation);
Result<void> put_sending(container::Transaction& tx, const sealing::SendingChain& chain);

}  // namespace nimes::agent::engine
