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

#include "engine/remembered.hpp"
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

    // The gateway's word, and when it received it.
    Result<void> accepted(const MessageId& id, Millis received);
    Result<void> rejected(const MessageId& id, const Error& error, Millis retry_after);
    // When the gateway's store accepted nothing. What was accepted all the same, by a store that went back to an older
    // state since, goes again, as it was, before everything else. What is refused then may build on what somebody else
    // still has to submit again: it is tried for an hour.
    Result<void> lost_by_gateway(const std::vector<Gap>& gaps);

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
        bool signal = false;                    // never stored: nothing is sent behind it
        bool behind = false;                    // sent with the name of one before it
        std::optional<Millis> refused_since{};  // boot clock; of what is tried all the same
    };
    struct Pause {
        Error error;
        Millis since = 0;
        Millis until = 0;
        unsigned tries = 0;
    };
    // Key of what concerns everything: no conversation has the id zero.
    using Pauses = std::map<ConversationId, Pause>;
    using Items = std::map<std::uint64_t, Waiting>;  // by row: the order of sending
    Items::iterator find(const MessageId& id);
    Result<void> remove(const MessageId& id, MessageState state, Millis received = 0);
    bool tried_again(const MessageId& id, Errc refusal);
    bool goes_first_now(const MessageId& id);
    void put_off(const MessageId& id, const Error& error, Millis retry_after);
    [[nodiscard]] const Pause* pause_of(const ConversationId& conversation) const;
    [[nodiscard]] bool paused(const ConversationId& conversation, Millis now) const;

    Core& core_;
    transport::PacketSession& session_;
    Remembered remembered_;
    Millis restored_until_ = 0;  // by the boot clock: the gateway's store went back, and others have not come back yet
    Items items_;
    std::map<MessageId, Error> refused_;
    Pauses pauses_;
};

}  // namespace nimes::agent::engine
