// What the gateway accepted is kept for a day, as it was sent: should the gateway's store go back to an older state, it
// is submitted again (Welcome.gaps in transport.proto).
//
// At most kMost submissions, the newest ones. It is ciphertext whose keys this device no longer has. Call with the
// core's lock held. Errors are the store's.
#pragma once

#include "engine/core.hpp"

namespace nimes::agent::engine {

// When the gateway's store accepted nothing: later than `after` and earlier than `until`, by the gateway's clock.
struct Gap {
    Millis after = 0;
    Millis until = 0;
};

class Remembered {
  public:
    static constexpr std::uint64_t kMost = 5'000;

    Result<void> keep(container::Transaction& tx, const OutboxItem& item, Millis received);
    // Those that were accepted in a gap, in the order of their acceptance; they are kept here no longer. Reads all that
    // are kept, unless the newest gap was looked at before.
    Result<std::vector<OutboxItem>> take_lost(container::Transaction& tx, const std::vector<Gap>& gaps);
    // Once what was lost is in the outbox, on disk.
    void looked_at(const std::vector<Gap>& gaps);

  private:
    std::uint64_t kept_ = 0;   // since this process started
    Millis looked_until_ = 0;  // the end of the newest gap that was looked at
};

}  // namespace nimes::agent::engine
