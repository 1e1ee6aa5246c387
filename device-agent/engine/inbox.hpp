// Message, step 7, inbox: what arrives is stored before it is acknowledged. (Before: the gateway's delivery.cpp. Next:
// open.cpp.)
//
// What came in one packet is one transaction (64 envelopes at most), with everything that follows from it and the
// lanes' new marks; where the store refuses that, each envelope is one. What cannot be opened yet is held, sealed in
// the container, and tried again when something came; at most 1,000 items, 16 MiB and 7 days. What comes behind
// something that got lost is not taken (turn.hpp). Call with the core's lock held. Errors are the store's: then nothing
// is acknowledged, and it comes again.
#pragma once

#include <span>

#include "engine/open.hpp"
#include "engine/turn.hpp"

namespace nimes::agent::engine {

class Inbox {
  public:
    Inbox(Core& core, Compose& compose) : core_(core), open_(core, compose) {}

    // The marks to acknowledge afterwards are the core's.
    Result<void> deliver(const v1::Deliver& deliver);
    // Something was missing, and the gateway was not told yet.
    bool take_gap() { return gaps_.take(); }
    // Tries everything held, in order, until a round brings nothing.
    Result<void> retry_held();

  private:
    using Marks = std::map<std::uint8_t, std::uint64_t>;  // by lane
    Result<void> store(std::span<const v1::Envelope* const> envelopes);
    Result<void> take(container::Transaction& tx, const v1::Envelope& envelope, Marks& marks);
    Result<void> hold(container::Transaction& tx, const v1::Envelope& envelope);

    Core& core_;
    Open open_;
    Gaps gaps_;
};

}  // namespace nimes::agent::engine
