// The thread that keeps the container shut when it must be, and raises or puts down what the engine holds with it.
//
// States of the container are the keeper's to change; when one changed, the guard brings the rest in line: from OPEN it
// stops the link, waits until every call has left, forgets all that was read from the container, and goes on behind the
// door (door_link.hpp); to OPEN it reads the container anew, takes what arrived meanwhile, and starts the link.
// Threads: start() and stop() from one; the rest with the core's lock held. Errors: as the keeper's.
#pragma once

#include <stop_token>
#include <thread>

#include "engine/door_link.hpp"
#include "engine/keeper.hpp"

namespace nimes::agent::engine {

class Guard {
  public:
    // What the agent does when the state has changed; called with the lock held, which they may give up.
    struct Hooks {
        std::function<void()> stop_link;                       // without the lock
        std::function<bool()> all_left;                        // no call is inside any more
        std::function<void()> put_down;                        // link and caches
        std::function<Result<void>(Lock&)> raise;              // reads the container, starts the link if it is wanted
        std::function<std::unique_ptr<DoorLink>()> door_link;  // nullptr: no network is wanted
    };
    Guard(Core& core, Keeper& keeper, Hooks hooks) : core_(core), keeper_(keeper), hooks_(std::move(hooks)) {}
    ~Guard() { stop(); }

    void start();
    void stop();
    [[nodiscard]] std::stop_token stopping() const { return stop_.get_token(); }

    // The engine's parts are there: verbs may go on.
    [[nodiscard]] bool up() const { return up_; }
    // Before start(): what open() did itself.
    void is_up() { up_ = true; }
    void want_network() { online_ = true; }
    [[nodiscard]] bool door_connected() const { return door_ && door_->connected(); }
    // Something is done for the person from here to there: the time without use begins afterwards.
    void use_begins() { ++uses_; }
    void use_ends();
    // Until parts and container agree. Lock held.
    void settle(Lock& lock);

  private:
    void run();
    void close(Lock& lock);
    void reopen(Lock& lock);

    Core& core_;
    Keeper& keeper_;
    const Hooks hooks_;
    bool up_ = false;
    bool changing_ = false;
    bool online_ = false;
    bool refused_ = false;  // the broker did not let the door in
    std::size_t uses_ = 0;
    Millis used_ = 0;  // boot clock
    std::unique_ptr<DoorLink> door_;
    std::stop_source stop_;
    std::thread thread_;
};

}  // namespace nimes::agent::engine
