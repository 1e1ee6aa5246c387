#include "media/turns.hpp"

#include <utility>

namespace nimes::gateway::media {
namespace {

void call(const Turns::Call& what) {
    if (what) what();
}

}  // namespace

Turns::Ticket Turns::arrive() {
    Call earlier, writer;
    Ticket mine = 0;
    {
        const std::lock_guard lock(mutex_);
        mine = ++newest_;
        earlier = std::exchange(waiting_, nullptr);
        if (writing_ != 0) writer = std::exchange(hang_up_, nullptr);
    }
    call(earlier);
    call(writer);
    return mine;
}

bool Turns::settled(Ticket ticket) const {
    const std::lock_guard lock(mutex_);
    return writing_ == 0 || ticket != newest_;
}

void Turns::when_settled(Ticket ticket, Call go) {
    {
        const std::lock_guard lock(mutex_);
        if (writing_ != 0 && ticket == newest_) {
            waiting_ = std::move(go);
            return;
        }
    }
    go();
}

bool Turns::begin(Ticket ticket, Call hang_up) {
    const std::lock_guard lock(mutex_);
    if (ticket != newest_) return false;
    writing_ = ticket;
    hang_up_ = std::move(hang_up);
    waiting_ = nullptr;
    return true;
}

void Turns::end(Ticket ticket) {
    Call next;
    {
        const std::lock_guard lock(mutex_);
        if (writing_ != ticket) return;
        writing_ = 0;
        hang_up_ = nullptr;
        next = std::exchange(waiting_, nullptr);
    }
    call(next);
}

}  // namespace nimes::gateway::media
