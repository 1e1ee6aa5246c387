// Message, step 2, outbox: what is sealed waits on disk until the gateway has it on its own. (Before: compose.cpp.
// Next: the broker, then the gateway's ingest.cpp.)
//
// Everything not accepted is sent in order after each connect, and again when the answer stays out: repeating is
// harmless. What is sent behind something that is not accepted yet names it, and the gateway lets none overtake. Call
// with the core's lock held, except wait().
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
    void flush();
    void tick();  // what was not answered in time goes again
    void uploaded(const BlobId& blob);
    [[nodiscard]] std::vector<OutboxItem> uploads_due() const;

    // The gateway's word, and when it received it.
    Result<void> accepted(const MessageId& id, Millis received);
    Result<void> rejected(const MessageId& id, const Error& error, Millis retry_after);

    // The newest submission of this device that the gateway knows. If it accepted later ones, its store went back to an
    // older state: they go again, before everything else. What is refused then may build on what somebody else still
    // has to submit again: it is tried for an hour.
    Result<void> known_to_gateway(Millis newest_accepted);

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
        std::optional<Millis> refused_since{};  // boot clock; of what goes again
        bool signal = false;                    // never stored: nothing comes after it
    };
    Result<void> remove(const MessageId& id, MessageState state, Millis received = 0);
    bool tried_again(const MessageId& id);

    Core& core_;
    transport::PacketSession& session_;
    Remembered remembered_;
    std::map<std::uint64_t, Waiting> items_;  // by row: the order of sending
    std::map<MessageId, Error> refused_;
    Millis pause_until_ = 0;
};

}  // namespace nimes::agent::engine
