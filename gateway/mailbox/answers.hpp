// The packets of n/<device>/down, as bytes of nimes.v1.Down (transport.proto). Pure; thread safe.
#pragma once

#include "mailbox/commit.hpp"

namespace nimes::gateway::mailbox {

struct WelcomeFacts {
    Millis server = 0;
    HeadHint head;
    std::uint32_t reconnect_spread_ms = 0;
    std::uint32_t seal_batch = 0;
    std::vector<Mark> newest;
    std::vector<Gap> gaps;
    Bytes policy;
};

Bytes encode_welcome(const WelcomeFacts& facts);
Bytes encode_head(const HeadHint& head);
Bytes encode_greet();
// One envelope with sequence 0: nothing of it was stored, so nothing is to be acknowledged.
Bytes encode_signal(const DeviceId& sender, const Submit& signal, const UserId& user, Millis received);
// Accepted, or Rejected with the code of the error table.
Bytes encode_outcome(const Outcome& outcome);
Bytes encode_refused(const MessageId& id, const Error& error);

// An envelope but for lane and sequence: the same for all recipients, so it is serialised once. (Protobuf's fields may
// stand in any order, and a message may be made of pieces.) Not of a grant: each device has its own.
Bytes encode_shared(const BodyRef& ref, const Body& body);

// Where an envelope stands in its lane.
struct Place {
    Lane lane = Lane::chat;
    std::uint64_t sequence = 0;
    std::uint64_t after = 0;  // the one before it
};

// Envelopes gathered into one Deliver of at most `most` bytes, one of them in any case; never above topic::kMaxPacket.
class DeliverPacket {
  public:
    // Bytes the envelope has; 0 when it does not fit any more: take() first.
    std::size_t add(const Entry& entry, const Body& body, std::uint64_t after, std::size_t most);
    std::size_t add(const Place& place, ByteView shared, std::size_t most);
    [[nodiscard]] bool empty() const { return envelopes_.empty(); }
    Bytes take();

  private:
    Bytes envelopes_;  // as they stand in a Deliver
};

// What goes to one device at one time is one packet: Down packets gathered into a Bundle of at most topic::kMaxPacket.
class BundlePacket {
  public:
    // False when it does not fit any more: take() first.
    bool add(ByteView down);
    // Valid until the next call.
    ByteView take();

  private:
    Bytes packets_;  // as they stand in a Bundle, behind room for its own head
    std::size_t count_ = 0;
    std::size_t first_ = 0;  // where the first packet begins
};

}  // namespace nimes::gateway::mailbox
