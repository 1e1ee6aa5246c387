// The packets of n/<device>/down, as bytes of nimes.v1.Down (transport.proto). Pure; thread safe.
#pragma once

#include <memory>

#include "mailbox/commit.hpp"

namespace nimes::gateway::mailbox {

struct WelcomeFacts {
    Millis server = 0;
    HeadHint head;
    std::uint32_t reconnect_spread_ms = 0;
    std::uint32_t seal_batch = 0;
    std::vector<Mark> newest;
    Millis accepted = 0;
};

Bytes encode_welcome(const WelcomeFacts& facts);
Bytes encode_head(const HeadHint& head);
// One envelope with sequence 0: nothing of it was stored, so nothing is to be acknowledged.
Bytes encode_signal(const DeviceId& sender, const Submit& signal, const UserId& user, Millis received);
// Accepted, or Rejected with the code of the error table.
Bytes encode_outcome(const Outcome& outcome);
Bytes encode_refused(const MessageId& id, const Error& error);

// Envelopes gathered into one Deliver of at most topic::kMaxPacket.
class DeliverPacket {
  public:
    DeliverPacket();
    ~DeliverPacket();
    DeliverPacket(const DeliverPacket&) = delete;
    DeliverPacket& operator=(const DeliverPacket&) = delete;

    // Bytes the envelope has; 0 when it does not fit any more: take() first.
    std::size_t add(const Entry& entry, const Body& body);
    [[nodiscard]] bool empty() const;
    Bytes take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::mailbox
