#include "transport/liveness.hpp"

#include <algorithm>

namespace nimes::agent::transport {

Millis Liveness::begin(const Keepalive::Path& remembered, Millis cap) {
    answer_due_ = dead_at_ = 0;
    asking_ = false;
    keepalive_.begin(remembered, cap);
    return keepalive_.said();
}

void Liveness::connected(Millis now, Millis server_keepalive) {
    last_ = now;
    if (server_keepalive != 0) keepalive_.overruled(server_keepalive);
}

void Liveness::wait_from(Millis now, Millis until) {
    if (dead_at_ != 0) return;  // what is waited for longest counts
    silence_before_ = now - std::min(now, last_);
    dead_at_ = until;
}

void Liveness::wants_answer(Millis now) {
    if (dead_at_ != 0) return;
    answer_due_ = now + limits_.answer_timeout;
    wait_from(now, answer_due_ + limits_.receipt_timeout);
}

bool Liveness::should_ask(Millis now, bool busy) const {
    if (asking_) return false;
    return (answer_due_ != 0 && now >= answer_due_) || (!busy && now >= last_ + keepalive_.silence());
}

void Liveness::asked(Millis now) {
    wait_from(now, now + limits_.receipt_timeout);
    answer_missing_ = answer_due_ != 0;
    answer_due_ = 0;
    asking_ = true;
    last_ = now;
}

void Liveness::heard(Millis now) {
    if (dead_at_ != 0) keepalive_.survived(silence_before_);
    answer_due_ = dead_at_ = 0;
    asking_ = answer_missing_ = false;
    last_ = now;
}

void Liveness::fell() {
    if (dead_at_ != 0) keepalive_.died(silence_before_);
    answer_due_ = dead_at_ = 0;
}

Millis Liveness::look_at() const {
    const auto at = dead_at_ != 0 ? dead_at_ : last_ + keepalive_.silence();
    return answer_due_ != 0 ? std::min(at, answer_due_) : at;
}

}  // namespace nimes::agent::transport
