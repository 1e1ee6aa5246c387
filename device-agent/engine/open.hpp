// Message, step 8, open: an envelope is verified, decrypted, judged and stored, all in one transaction with the chain's
// new state. (Before: inbox.cpp.)
//
// What lacks something (chain, entry, event, head) is held; the core's wanted_* say what to fetch. Call with the lock
// held. Errors are the store's; a bad envelope is an Outcome.
#pragma once

#include "engine/core.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_opener.hpp"

namespace nimes::agent::engine {

using sealing::Outcome;

class Open {
  public:
    explicit Open(Core& core) : core_(core) {}
    Result<Outcome> envelope(container::Transaction& tx, const v1::Envelope& envelope);

  private:
    Result<Outcome> grant(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> message(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> event(container::Transaction& tx, const v1::Envelope& envelope);

    struct Sender;
    Sender sender_of(const UserId& user, const DeviceId& device, std::uint64_t under_revision);
    Result<Outcome> store_chain(container::Transaction& tx, const sealing::OpenedGrant& grant,
                                const sealing::GrantFacts& facts, bool withhold);
    Result<Outcome> store_message(container::Transaction& tx, const v1::Envelope& envelope, StoredMessage message,
                                  bool readable);
    Result<void> learn(container::Transaction& tx, const StoredMessage& message);
    const conversation::ConversationState* conversation_of(container::Transaction& tx, const v1::Envelope& envelope);
    // (revision, hash) as a grant or event names it; what is not known is asked for.
    directory::HeldDirectory::Named named_head(std::uint64_t revision, const Digest& hash);

    Core& core_;
};

}  // namespace nimes::agent::engine
