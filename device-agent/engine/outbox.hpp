// Message, step 2, outbox: what is sealed waits on disk until the gateway has it on its own. (Before: compose.cpp.
// Next: the broker, then the gateway's ingest.cpp.)
//
// Everything not accepted is sent in order after each connect, and again when the answer stays out: repeating is
// harmless. Call with the core's lock held, except wait().
#pragma once

#include <optional>

#include "engine/core.hpp"
#include "transport/packet_session.hpp"

namespace nimes::agent::engine {

class Outbox {
  public:
    Outbox(Core& core, transport::PacketSession& session) : core_(core), session_(session) {}

    Result<void> load();  // after start, and after something was composed
    void connected();     // all of it goes again
    void flush();
    void tick();  // what was not answered in time goes again
    void uploaded(const BlobId& blob);
    [[nodiscard]] std::vector<OutboxItem> uploads_due() const;

    // The gateway's word. `missing` are devices that no grant of this chain reached.
    Result<void> accepted(const MessageId& id);
    Result<void> rejected(const MessageId& id, const Error& error, Millis retry_after);

    // Waits until the message was accepted or refused. Errc::timed_out: it stays in the outbox.
    Result<void> wait(Lock& lock, const MessageId& id, Millis patience);
    [[nodiscard]] std::size_t waiting() const { return items_.size(); }
    [[nodiscard]] std::optional<ConversationId> conversation_of(const MessageId& id) const;
    // The event that this item carries, if it is one.
    [[nodiscard]] std::optional<ConvEvent> event_of(const MessageId& id) const;

  private:
    struct Waiting {
        OutboxItem item;
        Millis sent = 0;  // boot clock; 0: not in this connection
        bool uploaded = false;
    };
    Result<void> remove(const MessageId& id, MessageState state);

    Core& core_;
    transport::PacketSession& session_;
    std::map<std::uint64_t, Waiting> items_;  // by row: the order of sending
    std::map<MessageId, Error> refused_;
    Millis pause_until_ = 0;
};

}  // namespace nimes::agent::engine
