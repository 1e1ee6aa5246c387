// Photo, step 8, what a deletion takes away beside rows: sealed files of this home, and the medium at the gateway,
// which any device of its author takes back. And what came of a recall, in numbers.
//
// What is owed to the gateway stands in a row until it answered, so a crash or a day without network puts it off and
// no more. A medium that the outbox still uploads stays, unreadable, until it is through: the messages behind it must
// not wait for a file that is gone. Files that nothing names any more (of expired messages, of a crash between two
// steps) go with the next start, or a day after they were written. Call with the core's lock held; run() lets go of it
// while the network answers. Errors are the store's.
#pragma once

#include <chrono>
#include <filesystem>

#include "engine/acts.hpp"
#include "engine/network.hpp"

namespace nimes::agent::engine {

// Of a recalled message's devices, those of its author and of who recalled it left out.
struct RecallCount {
    std::size_t devices = 0;      // that may have got it
    std::size_t delivered = 0;    // had it, as they said
    std::size_t opened = 0;       // showed it to somebody before
    std::size_t erased = 0;       // said that it is gone
    std::size_t unreachable = 0;  // said nothing yet
    bool operator==(const RecallCount&) const = default;
};
RecallCount count_recall(const Core& core, const StoredMessage& message, const conversation::Face& face);

// Within the transaction that deletes `message`.
Result<void> owe_removal(container::Transaction& tx, const Core& core, const StoredMessage& message,
                         const BlobId& blob);
// Does the gateway still have something that it is to lose?
Result<bool> removals_owed(container::Transaction& tx);

class Removals {
  public:
    static constexpr Millis kTryAgain = 10 * kSecond;

    Removals(Core& core, Network& network) : core_(core), network_(network) {}

    Result<void> run(Lock& lock, bool online);

  private:
    Result<void> remove_files();
    Result<void> sweep();
    Result<void> tell_gateway(Lock& lock);
    // Media that an item of the outbox, a transfer under way, or a history that is not taken yet, needs.
    Result<std::set<BlobId>> needed();

    Core& core_;
    Network& network_;
    // What was written before this connection began is nobody's who runs now; file systems' clocks lag by some ms.
    const std::filesystem::file_time_type began_ =
        std::filesystem::file_time_type::clock::now() - std::chrono::seconds(1);
    Millis next_try_ = 0, next_sweep_ = 0;  // boot clock
};

}  // namespace nimes::agent::engine
