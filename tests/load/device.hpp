// One device's end of the protocol, without container, thread or socket: the agent's own packets and sealing, an outbox
// until Accepted, marks for each lane, an Ack for each Deliver, and the book-keeping of a test.
//
// A pure state machine: packets and ticks come in, packets to send go to Port. Its message ids say who sent the
// how-manieth message, which is how a receiver knows what is missing (Ledger). Threads: one. Ownership: account,
// ledger, port and random outlive it.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "accounts.hpp"
#include "conversation/roster_state.hpp"
#include "engine/packets.hpp"
#include "engine/turn.hpp"
#include "ledger.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_sealer.hpp"

namespace nimes::load {

class Port {
  public:
    virtual ~Port() = default;
    virtual void send(ByteView up) = 0;
    // The gateway's word: the next connect waits a random time up to this.
    virtual void spread(Millis) {}
};

struct DeviceOptions {
    Micros resend_after = 15'000'000;  // without an answer
    std::size_t record_bytes = 240;    // of a message that is not sealed: header, random bytes, no signature
    bool sealed = false;               // seal each message, and open each one that comes
};

// What a device may send to: everyone of it but the sender.
struct Conversation {
    agent::conversation::ConversationState state;
    std::vector<std::uint32_t> receivers;  // device numbers
    agent::sealing::SendingChain chain;    // of the one who sends
    std::vector<agent::sealing::GrantRecipient> wraps;
};

class Device {
  public:
    Device(std::uint32_t number, const Account& account, const DeviceOptions& options, Ledger& ledger, Port& port,
           RandomSource& random);

    void connected(Micros now);  // says Hello, then sends all that was not accepted again
    void disconnected() { online_ = false; }
    void packet(ByteView down, Micros now);
    void tick(Micros now);

    // A new chain and its grant; several packets when the recipients are many. say() does it when a chain is at its
    // end.
    Result<void> grant(Conversation& to, Millis wall, Micros now);
    void create_group(const ConvEvent& event, const Conversation& to, Micros now);
    void say(Conversation& to, Millis wall, Micros now);

    [[nodiscard]] std::size_t outstanding() const { return outbox_.size(); }
    [[nodiscard]] bool welcomed() const { return online_ && welcomed_; }
    [[nodiscard]] const Account& account() const { return account_; }

  private:
    struct Waiting {
        MessageId id;
        Bytes packet;
        Micros sent = 0;  // the last time
        std::uint64_t resends = 0;
    };
    void submit(MessageId id, Bytes packet, Micros now);
    void resend(Waiting& waiting, Micros now);
    void heard(const v1::Down& down, Micros now);
    void answered(const std::string& id, bool accepted, Micros now);
    void deliver(const v1::Deliver& deliver, Micros now);
    void open(const v1::Envelope& envelope, Micros now);
    bool opens(const v1::Envelope& envelope);
    [[nodiscard]] Bytes message_for(Conversation& to, const MessageId& id, Millis wall);
    void send(ByteView up);

    const std::uint32_t number_;
    const Account& account_;
    const DeviceOptions& options_;
    Ledger& ledger_;
    Port& port_;
    RandomSource& random_;
    bool online_ = false, welcomed_ = false;
    std::deque<Waiting> outbox_;
    std::map<std::uint8_t, std::uint64_t> marks_;
    agent::engine::Gaps gaps_;
    std::unordered_map<ChainId, agent::sealing::ReceivingChain> chains_;
};

}  // namespace nimes::load
