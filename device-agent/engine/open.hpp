// Message, step 8, open: an envelope is verified, decrypted, judged and stored, all in one transaction with the chain's
// new state. (Before: inbox.cpp. Next: acts.cpp.)
//
// What lacks something (chain, entry, event, head) is held; the core's wanted_* say what to fetch. Call with the lock
// held. Errors are the store's; a bad envelope is an Outcome.
#pragma once

#include "engine/acts.hpp"
#include "engine/history.hpp"
#include "engine/recovery.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_opener.hpp"
#include "sealing/seal_keys.hpp"

namespace nimes::agent::engine {

using sealing::Outcome;

class Open {
  public:
    Open(Core& core, Compose& compose) : core_(core), acts_(core), history_(core), recovery_(core, compose) {}
    Result<Outcome> envelope(container::Transaction& tx, const v1::Envelope& envelope);
    // Once for each envelope, before it is opened or held.
    Result<void> note_arrival(container::Transaction& tx, const v1::Envelope& envelope);
    // Never stored and never held: what does not open now is gone.
    Result<void> signal(container::Transaction& tx, const v1::Envelope& envelope);

  private:
    Result<Outcome> grant(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> message(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> before_our_index(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> held_unless_here(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> control(container::Transaction& tx, const v1::Envelope& envelope);
    Result<Outcome> event(container::Transaction& tx, const v1::Envelope& envelope);

    // What is known of a device that signed something.
    struct Sender {
        bool entry_known = false;
        const DeviceCert* cert = nullptr;
        const DeviceRevoke* revoke = nullptr;
    };
    Sender sender_of(const UserId& user, const DeviceId& device, std::uint64_t under_revision);
    Result<Outcome> store_chain(container::Transaction& tx, const sealing::OpenedGrant& grant,
                                const sealing::GrantFacts& facts, bool withhold);
    Result<Outcome> store_message(container::Transaction& tx, StoredMessage message, bool readable);
    [[nodiscard]] MessageState judge(const StoredMessage& message, bool withhold, bool readable) const;
    Result<void> note_gap(container::Transaction& tx, StoredMessage& message, const ByteArray<16>& prev_own);
    Result<void> learn(container::Transaction& tx, StoredMessage& message, const conversation::Meaning& meaning);
    Result<void> keep_medium(container::Transaction& tx, const StoredMessage& message,
                             const conversation::MediaRef& ref);
    Result<void> learn_info(container::Transaction& tx, const StoredMessage& message, const conversation::Info& info);
    [[nodiscard]] bool receipt_wanted(const StoredMessage& message, const conversation::Meaning& meaning) const;
    // nullptr: not known.
    Result<const conversation::ConversationState*> conversation_of(container::Transaction& tx,
                                                                   const v1::Envelope& envelope);
    // (revision, hash) as a grant or event names it; what is not known is asked for.
    directory::HeldDirectory::Named named_head(std::uint64_t revision, const Digest& hash);

    Core& core_;
    Acts acts_;
    History history_;
    Recovery recovery_;
};

}  // namespace nimes::agent::engine
