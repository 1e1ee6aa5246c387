#include "enrolment/post_office.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace nimes::gateway::enrolment {
namespace {

// Looks at the clock at least so often while mail waits: it may be one that a test moves.
constexpr Millis kLook = 100;
}  // namespace

Millis PostOffice::pause_after(int failures) {
    constexpr std::array<Millis, 4> kPauses{2 * kSecond, 8 * kSecond, 30 * kSecond, kMinute};
    const auto at = static_cast<std::size_t>(std::max(failures, 1) - 1);
    return kPauses[std::min(at, kPauses.size() - 1)];
}

PostOffice::PostOffice(const Needs& needs, std::size_t capacity) : needs_(needs), capacity_(capacity) {}
PostOffice::~PostOffice() { stop(); }

void PostOffice::start() {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) return;
    stopping_ = false;
    thread_ = std::thread([this] { run(); });
}

void PostOffice::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::size_t PostOffice::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

Result<void> PostOffice::post(CodeMail mail) {
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(waiting_, [&](const Waiting& item) { return item.mail.to == mail.to; });
        if (waiting_.size() >= capacity_) return fail(Errc::busy);
        waiting_.push_back({std::move(mail), needs_.clock.boot(), 0});
    }
    changed_.notify_all();
    return {};
}

void PostOffice::run() {
    while (auto item = next()) deliver(std::move(*item));
}

std::optional<PostOffice::Waiting> PostOffice::next() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (stopping_) return std::nullopt;
        const auto first = std::min_element(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
            return a.due < b.due;  // of equals the one that came first
        });
        if (first == waiting_.end()) {
            changed_.wait(lock);
        } else if (const auto now = needs_.clock.boot(); first->due > now) {
            changed_.wait_for(lock, std::chrono::milliseconds(std::min(first->due - now, kLook)));
        } else {
            auto out = std::move(*first);
            waiting_.erase(first);
            return out;
        }
    }
}

void PostOffice::deliver(Waiting item) {
    if (item.mail.expires <= needs_.clock.now()) {
        needs_.metrics.mails.with({"failed"}).add();
        needs_.log.warning("mail_expired", {{"attempts", item.failures}});
        return;
    }
    const auto sent = needs_.transport.send(item.mail);
    if (sent) {
        needs_.metrics.mails.with({"sent"}).add();
        return;
    }
    ++item.failures;
    const bool again = sent.error().row().retry;
    needs_.log.warning("mail_failed", {{"code", sent.error().row().name},
                                       {"detail", std::string_view(sent.error().detail)},
                                       {"attempt", item.failures},
                                       {"again", again}});
    if (again) put_back(std::move(item));
    else needs_.metrics.mails.with({"failed"}).add();
}

void PostOffice::put_back(Waiting item) {
    item.due = needs_.clock.boot() + pause_after(item.failures);
    const std::lock_guard lock(mutex_);
    const bool newer = std::any_of(waiting_.begin(), waiting_.end(),
                                   [&](const Waiting& other) { return other.mail.to == item.mail.to; });
    if (!newer) waiting_.push_back(std::move(item));
}

}  // namespace nimes::gateway::enrolment
