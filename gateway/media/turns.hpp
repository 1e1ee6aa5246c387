// Who writes to one upload, and who waits to: at most one of each. Whoever comes later takes over: the writer is hung
// up, and who waited gives way. Private to this room.
//
// Threads: any; nothing here waits, calls are made without a lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

namespace nimes::gateway::media {

class Turns {
  public:
    using Ticket = std::uint64_t;
    using Call = std::function<void()>;

    // The newest one's place. The writer is hung up, who waited is called.
    Ticket arrive();
    // Nobody writes, or it is no use to wait: somebody came later.
    [[nodiscard]] bool settled(Ticket ticket) const;
    // Calls `go` once, when that is so; at once if it is.
    void when_settled(Ticket ticket, Call go);
    // The turn of the newest one, whoever writes still; false for anybody else. `hang_up` ends its connection, in time.
    bool begin(Ticket ticket, Call hang_up);
    void end(Ticket ticket);

  private:
    mutable std::mutex mutex_;
    Ticket newest_ = 0;
    Ticket writing_ = 0;  // 0: nobody
    Call hang_up_;
    Call waiting_;  // of the newest one
};

}  // namespace nimes::gateway::media
