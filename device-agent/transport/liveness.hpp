// Does the connection live? What is waited for, when the broker is to be asked, and when it is given up.
//
//   sent(), wants_answer()      something went up
//   should_ask() … asked()      the broker is asked for a receipt: nothing passed for a while, or an answer is overdue
//   heard()                     anything came down: all is well
//   dead()                      nothing came in time
//   fell()                      it ended: if something was waited for, the silence before is what killed it
//
// Pure: times are given, on the boot clock. Threads: one.
#pragma once

#include "transport/keepalive.hpp"

namespace nimes::agent::transport {

class Liveness {
  public:
    struct Limits {
        Keepalive::Limits keepalive;
        Millis answer_timeout = 20 * kSecond;   // silence after an Up that wants an answer: the broker is asked
        Millis receipt_timeout = 15 * kSecond;  // silence after that: the connection is dead
    };
    explicit Liveness(Limits limits) : limits_(limits), keepalive_(limits.keepalive) {}

    // Before CONNECT: what is remembered of the network, and what a broker allowed last (0: not known). The keepalive
    // to say.
    Millis begin(const Keepalive::Path& remembered, Millis cap);
    // `server_keepalive` 0: the broker took ours.
    void connected(Millis now, Millis server_keepalive);

    void sent(Millis now) { last_ = now; }
    void wants_answer(Millis now);
    // `busy`: something is about to be sent anyway.
    [[nodiscard]] bool should_ask(Millis now, bool busy) const;
    void asked(Millis now);
    [[nodiscard]] bool asking() const { return asking_; }
    // Asked because an answer is overdue: whoever should have given it is away, if the broker is not.
    [[nodiscard]] bool answer_missing() const { return answer_missing_; }
    void heard(Millis now);
    [[nodiscard]] bool dead(Millis now) const { return dead_at_ != 0 && now >= dead_at_; }
    void fell();
    // When to look again, if nothing happens before.
    [[nodiscard]] Millis look_at() const;
    [[nodiscard]] const Keepalive::Path& path() const { return keepalive_.path(); }

  private:
    void wait_from(Millis now, Millis until);
    Limits limits_;
    Keepalive keepalive_;
    Millis last_ = 0;            // when something passed
    Millis answer_due_ = 0;      // 0: no answer is waited for
    Millis dead_at_ = 0;         // 0: nothing is waited for
    Millis silence_before_ = 0;  // when what is waited for began
    bool asking_ = false;
    bool answer_missing_ = false;
};

}  // namespace nimes::agent::transport
