// The tus protocol as a state machine; tus_upload.cpp does what it says.
#include <algorithm>

#include "transport/reconnect_policy.hpp"
#include "transport/tus_upload.hpp"

namespace nimes::agent::transport {
namespace {
constexpr Millis kFirstWait = kSecond;
constexpr Millis kMostWait = kMinute;
constexpr unsigned kMostRecreations = 2;
}  // namespace

TusSession::TusSession(std::uint64_t size, bool resume, TusOptions options)
    : size_(size),
      options_(std::move(options)),
      phase_(resume ? Phase::ask : Phase::create),
      part_(options_.first_part) {}

TusSession::Step TusSession::next() {
    if (waiting_) {
        waiting_ = false;
        return wait_;
    }
    switch (phase_) {
        case Phase::create:
            return Create{};
        case Phase::ask:
            return Ask{};
        case Phase::patch:
            sent_part_ = std::min(part_, size_ - offset_);
            return Patch{offset_, sent_part_};
        case Phase::done:
            return Done{};
        case Phase::failed:
            break;
    }
    return Failed{error_};
}

void TusSession::answered(const HttpsAnswer& answer, Millis took) {
    switch (phase_) {
        case Phase::create:
            return created(answer);
        case Phase::ask:
            return asked(answer);
        case Phase::patch:
            return patched(answer, took);
        case Phase::done:
        case Phase::failed:
            return;
    }
}

// Whatever was under way, only the gateway knows how far it came.
void TusSession::broke(const Error& error) {
    if (phase_ == Phase::patch) part_ = std::max(options_.least_part, part_ / 2);
    const bool passing = error.code == Errc::offline || error.code == Errc::timed_out;
    if (!passing) return give_up(error);
    retry(error, phase_ == Phase::patch ? Phase::ask : phase_);
}

void TusSession::created(const HttpsAnswer& answer) {
    if (answer.status == 201) return moved_to(0);
    if (answer.status == 409) {
        phase_ = Phase::ask;  // an answer to an earlier POST was lost
        return;
    }
    if (!passing(answer, Phase::create)) give_up(error_of(answer));
}

void TusSession::asked(const HttpsAnswer& answer) {
    if (answer.status == 200 || answer.status == 204) {
        const auto offset = answer.number("upload-offset");
        const auto length = answer.number("upload-length");
        if (length && *length != size_) return give_up({Errc::exists, "that id holds a medium of another length"});
        if (!offset || *offset > size_) return give_up({Errc::malformed, "the offset of an upload"});
        return moved_to(*offset);
    }
    if (answer.status == 404 || answer.status == 410) {
        if (recreated_++ >= kMostRecreations) return give_up({Errc::upload_gone, {}});
        offset_ = highest_ = 0;
        phase_ = Phase::create;
        return;
    }
    if (answer.status == 403) return give_up({Errc::exists, "that id is another device's"});
    if (!passing(answer, Phase::ask)) give_up(error_of(answer));
}

void TusSession::patched(const HttpsAnswer& answer, Millis took) {
    const auto offset = answer.number("upload-offset");
    if (answer.status == 204) {
        if (!offset || *offset > size_ || *offset <= offset_)
            return give_up({Errc::malformed, "the offset of an upload"});
        resize_part(*offset - offset_, took);
        return moved_to(*offset);
    }
    if (answer.status == 409 && offset && *offset <= size_ && *offset > highest_) return moved_to(*offset);
    if (answer.status == 409) return retry({Errc::upload_offset, {}}, Phase::ask);
    if (answer.status == 404 || answer.status == 410) {
        phase_ = Phase::ask;
        return;
    }
    if (!passing(answer, Phase::ask)) give_up(error_of(answer));
}

// As much as goes through in part_time at the rate of the last part; twice as much at most, for one quick part is luck.
void TusSession::resize_part(std::uint64_t stored, Millis took) {
    const auto fits = took == 0 ? options_.most_part : stored * options_.part_time / took;
    part_ = std::clamp(fits, options_.least_part, std::clamp(part_ * 2, options_.least_part, options_.most_part));
    if (stored < sent_part_) part_ = std::max(options_.least_part, part_ / 2);
}

void TusSession::moved_to(std::uint64_t offset) {
    // Only what is further than ever is progress: a gateway that goes to and fro must not keep us busy for ever.
    if (offset > highest_) failures_ = 0;
    highest_ = std::max(highest_, offset);
    offset_ = offset;
    phase_ = offset_ == size_ ? Phase::done : Phase::patch;
}

void TusSession::retry(const Error& error, Phase phase, unsigned at_least_s) {
    if (++failures_ > options_.retries) return give_up(error);
    phase_ = phase;
    waiting_ = true;
    wait_.at_most = std::min(kMostWait, kFirstWait << std::min(failures_ - 1, 10U));
    wait_.at_least = at_least_s * kSecond;
}

void TusSession::give_up(Error error) {
    phase_ = Phase::failed;
    error_ = std::move(error);
}

// True when the refusal passes by itself, and a retry is planned.
bool TusSession::passing(const HttpsAnswer& answer, Phase phase) {
    const auto error = error_of(answer);
    const bool locked = answer.status == 423 || answer.status == 429 || answer.status == 460;
    // A full disk or quota passes too, but not while somebody waits: say so, the outbox tries again later.
    const bool passes = locked || answer.status == 401 || (answer.status >= 500 && answer.status != 507);
    if (!passes) return false;
    retry(error, phase, answer.retry_after_s());
    return true;
}

}  // namespace nimes::agent::transport
