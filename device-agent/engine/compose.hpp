// Message, step 1, compose: content is padded, sealed and signed under this device's chain, and the chain is granted to
// every device that shall open it. (Next: outbox.cpp.)
//
// Everything that leaves is put into the outbox in the same transaction that moves the chain on; nothing is sent here.
// Call with the core's lock held, after Sync::bring_up for the conversation's users.
// Errors: Errc::conversation_unknown, not_a_member, head_stale (a new chain needs a head of today), too_large, storage.
#pragma once

#include "conversation/content.hpp"
#include "conversation/events.hpp"
#include "engine/acts.hpp"
#include "engine/packets.hpp"
#include "sealing/grant_sealer.hpp"

namespace nimes::agent::engine {

struct Composed {
    MessageId id;
    std::uint64_t sequence = 0;     // row of the own message
    std::vector<DeviceId> devices;  // that can open it
    std::vector<DeviceId> stale;    // that cannot: no seal key of today
};

class Compose {
  public:
    explicit Compose(Core& core) : core_(core), acts_(core) {}

    // `id` is the caller's, so that a repeat makes no second message.
    Result<Composed> message(const ConversationId& conversation, const MessageId& id, conversation::Meaning meaning,
                             const BlobId& upload = {});
    // Devices that the next message is granted to and of which no one-time key is here; none when they are too many for
    // them.
    Result<std::vector<const DeviceCert*>> one_time_wanted(const ConversationId& conversation) const;
    // Grants to devices that the newest chain has not reached; nothing when there are none.
    Result<void> grant_missing(const ConversationId& conversation);
    // One device alone, within the caller's transaction. grant_again: the chain in use, at its present index; nothing
    // when there is none. send_again: messages of this device that the person may read, in a re-send chain of their
    // own.
    Result<void> grant_again(container::Transaction& tx, const conversation::ConversationState& state,
                             const DeviceCert& cert);
    Result<void> send_again(container::Transaction& tx, const conversation::ConversationState& state,
                            const DeviceCert& cert, const std::vector<MessageRow>& messages);
    // A device that joined an entry we knew gets nothing for a while, by whatever way (FORMATS.md 2.3).
    [[nodiscard]] bool on_hold(const directory::HeldEntry& entry, const DeviceCert& cert) const;
    Result<void> send_direct(container::Transaction& tx, const conversation::ConversationState& state, Direct kind,
                             const DeviceId& device, ByteView payload);
    // The event goes out. A creation is applied at once, for nobody can be first; any other when the gateway took it,
    // since another change of the same epoch may come before it. Answers the id to wait for.
    Result<MessageId> event(const ConvEvent& event);
    // The gateway took it.
    Result<void> event_accepted(const ConvEvent& event);
    // What this device would sign now.
    [[nodiscard]] Result<conversation::EventMaker> maker() const;

  private:
    struct Recipients {
        std::vector<const DeviceCert*> active;
        std::vector<DeviceId> stale;
    };
    struct Draft;

    Result<const conversation::ConversationState*> open_conversation(const ConversationId& id) const;
    Recipients recipients(const conversation::ConversationState& state) const;
    [[nodiscard]] sealing::GrantBinding binding(const conversation::ConversationState& state) const;
    [[nodiscard]] std::vector<MessageRow> readable_by(const conversation::ConversationState& state,
                                                      const DeviceCert& cert,
                                                      const std::vector<MessageRow>& messages) const;
    Result<sealing::SendingChain> ready_chain(container::Transaction& tx, const conversation::ConversationState& state,
                                              const Recipients& to);
    sealing::GrantRecipient recipient(const DeviceCert& cert, bool once);
    Result<void> grant(container::Transaction& tx, const conversation::ConversationState& state,
                       sealing::SendingChain& chain, const Recipients& to);
    Result<void> put_outbox(container::Transaction& tx, OutboxItem item);
    [[nodiscard]] std::optional<conversation::ConversationState> base_of(const ConvEvent& event) const;
    [[nodiscard]] conversation::Applied apply_own(std::optional<conversation::ConversationState>& state,
                                                  const ConvEvent& event) const;
    void set_lifetime(const ConversationId& id, conversation::Meaning& meaning) const;
    Result<Bytes> seal(container::Transaction& tx, sealing::SendingChain& chain, const Content& content);
    Result<std::uint64_t> keep_own(container::Transaction& tx, const sealing::SendingChain& chain,
                                   const Content& content, const conversation::Meaning& meaning);

    Core& core_;
    Acts acts_;
};

}  // namespace nimes::agent::engine
