// What the gateway accepted is kept for a day, as it was sent: should the gateway's store go back to an older state, it
// is submitted again (Welcome.accepted_ms in transport.proto).
//
// At most kMost submissions, the newest ones. It is ciphertext whose keys this device no longer has. Call with the
// core's lock held. Errors are the store's.
#pragma once

#include "engine/core.hpp"

namespace nimes::agent::engine {

class Remembered {
  public:
    static constexpr std::uint64_t kMost = 5'000;

    Result<void> keep(container::Transaction& tx, const OutboxItem& item, Millis received);
    // When the newest was accepted, by the gateway's clock; 0: none is kept. Reads them all, once.
    Result<Millis> newest(container::Transaction& tx);
    // Those accepted at `since` or later, in the order of their acceptance; they are kept here no longer.
    Result<std::vector<OutboxItem>> take_from(container::Transaction& tx, Millis since);

  private:
    std::uint64_t kept_ = 0;  // since this process started
    std::optional<Millis> newest_;
};

}  // namespace nimes::agent::engine
