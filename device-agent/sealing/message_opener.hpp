// Message, step 8, open: verified with the key commitment, then decrypted (FORMATS.md 2.7, "Receiver order").
// (Before: the engine's inbox.cpp.)
//
// The chain given is not changed; what is answered holds the chain as it is afterwards, to be stored with the message
// in one transaction. Whatever fails before the content is open leaves nothing to store. Pure; thread safe. Errors:
// Errc::dropped (used index, beyond the end, signature, ciphertext); never more is said.
#pragma once

#include <optional>

#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

struct OpenedMessage {
    ReceivingChain chain;
    // nullopt: authentic but malformed; its index is used up all the same, and it is shown as unreadable.
    std::optional<Content> content;
    Digest digest;
    std::uint32_t index = 0;
};
// Is the key of this index gone, by opening it or by a grant that began later?
[[nodiscard]] bool lies_before(const ReceivingChain& chain, std::uint32_t index);

Result<OpenedMessage> open_message(const ReceivingChain& chain, ByteView wire);

}  // namespace nimes::agent::sealing
