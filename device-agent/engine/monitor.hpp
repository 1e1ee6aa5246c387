// Watching what the directory showed others of this device's own user: the own entry is looked up under each head that
// an accepted grant names, once for each revision (FORMATS.md 2.11.6). A device shown to senders for one revision only
// is seen, too.
//
// note() writes in the caller's transaction; run() takes the core's lock and lets go of it while the network answers.
// What waits for an answer is in the container. Errors are the store's; what the directory did is an alarm.
#pragma once

#include "engine/core.hpp"
#include "engine/network.hpp"

namespace nimes::agent::engine {

class Monitor {
  public:
    static constexpr Millis kLooksBack = 7 * kDay;  // heads older than that: the gateway keeps no map for certain
    static constexpr Millis kPatience = kDay;       // no answer for so long is an alarm
    static constexpr std::size_t kRevisions = 512;  // remembered; the oldest go
    static constexpr std::size_t kAtOnce = 8;       // look-ups in one run()

    Monitor(Core& core, Network& network) : core_(core), network_(network) {}

    static Result<void> load(Core& core, container::Transaction& tx);
    // A grant that was accepted names this verified head.
    static Result<void> note(Core& core, container::Transaction& tx, std::uint64_t revision);
    // The own entry was proven under this head: nothing is left to look up.
    static void seen(Core& core, std::uint64_t revision);

    Result<void> run(Lock& lock);

  private:
    Result<void> judge(std::uint64_t revision, const DirectoryEntry& entry);
    Result<void> done(std::uint64_t revision, std::string_view alarm = {});

    Core& core_;
    Network& network_;
};

}  // namespace nimes::agent::engine
