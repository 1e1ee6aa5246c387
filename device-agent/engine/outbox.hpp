// Message, step 2, outbox: what is sealed waits on disk until the gateway has it on its own. (Before: compose.cpp.
// Next: the broker, then the gateway's ingest.cpp.)
//
// Everything not accepted is sent in order after each connect, and again when the answer stays out: repeating is
// harmless. What goes behind something of its conversation that is not accepted yet names it, and the gateway lets none
// overtake. What the gateway cannot take now waits, twice as long after each refusal: all of it when the reason is the
// server's or this device's own (overload, rate), else only what goes into that conversation, for a full mailbox must
// not keep a message from somebody else. Call with the core's lock held, except wait().
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
    bool flush();         // true: something was sent
    bool tick();          // what was not answered in time goes again; as flush()
    void uploaded(const BlobId& blob);
    [[nodiscard]] std::vector<OutboxItem> uploads_due() const;

    // The gateway's word. `missing` are devices that no grant of this chain reached.
    Result<void> accepted(const MessageId& id);
    Result<void> rejected(const MessageId& id, const Error& error, Millis retry_after);

    // What waits for a reason that the gateway named.
    struct Stuck {
        std::optional<ConversationId> conversation;  // nullopt: everything
        Error error;
        std::size_t items = 0;
        Millis since = 0;     // boot clock
        Millis next_try = 0;  // boot clock
    };
    [[nodiscard]] std::vector<Stuck> stuck() const;

    // Waits until the message was accepted or refused. Otherwise it stays in the outbox, and the error is what it waits
    // for, or Errc::timed_out.
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
        bool signal = false;  // never stored: nothing is sent behind it
    };
    struct Pause {
        Error error;
        Millis since = 0;
        Millis until = 0;
        unsigned tries = 0;
    };
    // Key of what concerns everything: no conversation has the id zero.
    using Pauses = std::map<ConversationId, Pause>;
    Result<void> remove(const MessageId& id, MessageState state);
    void put_off(const MessageId& id, const Error& error, Millis retry_after);
    [[nodiscard]] const Pause* pause_of(const ConversationId& conversation) const;
    [[nodiscard]] bool paused(const ConversationId& conversation, Millis now) const;

    Core& core_;
    transport::PacketSession& session_;
    std::map<std::uint64_t, Waiting> items_;  // by row: the order of sending
    std::map<MessageId, Error> refused_;
    Pauses pauses_;
};

}  // namespace nimes::agent::engine
