// Message, step 1, compose, second half: content is padded, sealed and signed under the sender's chain
// (FORMATS.md 2.7). (Before: the engine's compose.cpp. Next: the engine's outbox.cpp.)
//
// The chain moves on with each message; the caller stores chain and wire bytes in one transaction before anything is
// sent, and a retry sends the same bytes. Pure. Errors: Errc::too_large for the content; internal when the chain is at
// its end (rotation.hpp says so before).
#pragma once

#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

Result<Bytes> seal_message(SendingChain& chain, const UserId& user, const DeviceId& device, const Content& content,
                           RandomSource& random);

}  // namespace nimes::agent::sealing
