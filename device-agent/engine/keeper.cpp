#include "engine/keeper.hpp"

#include "engine/trust.hpp"

namespace nimes::agent::engine {
namespace {

using container::State;

constexpr Millis kContactEvery = kHour;
constexpr Millis kContactAgain = kMinute;
constexpr Millis kContactSoon = 10 * kSecond;  // somebody waits before a locked screen

}  // namespace

std::string_view name(Why why) {
    switch (why) {
        case Why::none:
            return "none";
        case Why::awaits_share:
            return "awaits_share";
        case Why::share_missing:
            return "share_missing";
        case Why::share_wrong:
            return "share_wrong";
        case Why::suspended:
            return "suspended";
        case Why::revoked:
            return "revoked";
        case Why::lease_over:
            return "lease_over";
        case Why::idle:
            return "idle";
        case Why::asked:
            return "asked";
        case Why::wiped:
            return "wiped";
    }
    return "unknown";
}

Error refusal(Why why) {
    switch (why) {
        case Why::awaits_share:
            return {Errc::offline, "the container opens with the gateway's share"};
        case Why::share_missing:
            return {Errc::not_found, "the gateway keeps no share of this device's key"};
        case Why::share_wrong:
            return {Errc::proof_invalid, "the gateway's share is not this container's"};
        case Why::suspended:
            return {Errc::device_suspended, {}};
        case Why::revoked:
            return {Errc::device_revoked, {}};
        case Why::wiped:
            return {Errc::not_enrolled, "this home was wiped"};
        case Why::lease_over:
            return {Errc::locked, "too long without a word from the gateway"};
        default:
            return {Errc::locked, {}};
    }
}

Result<void> Keeper::unlock(Lock& lock, ByteView passphrase, const std::stop_token& stop) {
    auto& box = *core_.box;
    const bool was_open = box.state() == State::open;
    auto right = was_open || box.waits_for_share() ? box.check_passphrase(passphrase) : box.unlock(passphrase);
    if (!right && right.error().code == Errc::not_enrolled) {
        why_ = Why::wiped;
        core_.shut_out = Errc::not_enrolled;
    }
    if (!right || was_open) return right;
    return entered(lock, stop);
}

Result<void> Keeper::entered(Lock& lock, const std::stop_token& stop) {
    why_ = core_.box->waits_for_share() ? Why::awaits_share : Why::none;
    core_.shut_out.reset();
    if (auto read = core_.load_door(); !read) return read;
    if (why_ == Why::awaits_share) (void)contact(lock, stop);
    return {};
}

Result<void> Keeper::contact(Lock& lock, const std::stop_token& stop) {
    lock.unlock();
    const std::lock_guard one(contacting_);
    auto answer = custody_.share(stop);
    lock.lock();
    auto done = answer ? take(lock, *answer, stop) : take_refusal(lock, answer.error(), stop);
    contacted_serial_ = core_.provisioning->policy.serial;
    (void)core_.box->limit_lease(terms());
    const auto after = done                        ? std::min(kContactEvery, terms().grace / 4)
                       : why_ == Why::awaits_share ? kContactSoon
                                                   : kContactAgain;
    next_contact_ = core_.clock.boot() + after;
    core_.changed.notify_all();
    return done;
}

Result<void> Keeper::take(Lock& lock, const container::Share& share, const std::stop_token& stop) {
    auto& box = *core_.box;
    if (box.waits_for_share()) {
        auto opened = box.open_with(share, terms());
        if (opened) why_ = Why::none;
        else if (opened.error().code == Errc::proof_invalid) why_ = Why::share_wrong;
        return opened;
    }
    if (why_ == Why::suspended) why_ = Why::asked;  // it is let in again, and wants its passphrase
    if (box.share_number() != 0) return box.lease_left() ? renew(share) : Result<void>();
    return box.state() == State::open ? adopt(lock, share.number, stop) : Result<void>();
}

// Another share than the leased one would not open this container again: the lease is left to run out, and told of.
Result<void> Keeper::renew(const container::Share& share) {
    if (core_.box->is_leased(share)) return core_.box->renew_lease(terms());
    (void)core_.transact([&](container::Transaction& tx) {
        return core_.raise_alarm(tx, "the gateway keeps another share of this device's key: tell an administrator");
    });
    return fail(Errc::proof_invalid);
}

// The gateway has it on disk before a slot needs it. Cut off in between, the same number is put again.
Result<void> Keeper::adopt(Lock& lock, std::uint32_t number, const std::stop_token& stop) {
    container::Share fresh;
    fresh.number = number;
    core_.random.fill(fresh.bytes.edit());
    lock.unlock();
    auto put = custody_.put_share(fresh, stop);
    lock.lock();
    if (!put) return put;
    return core_.box->adopt_share(fresh, terms());
}

Result<void> Keeper::take_refusal(Lock& lock, const Error& error, const std::stop_token& stop) {
    auto& box = *core_.box;
    switch (error.code) {
        case Errc::not_found:
            if (box.share_number() != 0) {
                withhold(Why::share_missing);
                break;
            }
            if (box.state() == State::open) return adopt(lock, 1, stop);
            break;
        case Errc::device_suspended:
            withhold(Why::suspended);
            break;
        case Errc::device_revoked:
            return say_farewell(lock, stop);
        default:
            break;
    }
    return fail(error.code, error.detail);
}

void Keeper::withhold(Why why) {
    why_ = why;
    (void)core_.box->end_lease();
    core_.shut_out = refusal(why).code;
}

void Keeper::close(Why why) {
    if (core_.box->state() == State::shut) return;
    why_ = why;
    core_.box->lock();
    core_.shut_out = refusal(why).code;
    core_.changed.notify_all();
}

Result<void> Keeper::say_farewell(Lock& lock, const std::stop_token& stop) {
    auto token = token_();
    if (!token) return pass(token);
    v1::Farewell request;
    request.set_token(*token);
    request.set_held_revision(core_.provisioning->head.revision);
    lock.unlock();
    const auto answer = custody_.farewell(request, stop);
    lock.lock();
    auto judged = answer ? judge(*answer, core_.own(), *core_.provisioning, core_.clock.now())
                         : Result<Judgement>(fail(answer.error().code, answer.error().detail));
    // Its word alone shuts, and destroys nothing.
    if (!judged || !judged->revoked) {
        withhold(Why::awaits_share);
        core_.shut_out = Errc::device_revoked;
        return judged ? Result<void>(fail(Errc::device_revoked)) : Result<void>(pass(judged));
    }
    if (core_.box->state() == State::open) (void)note_own_revocation(core_);
    withhold(Why::revoked);
    if (!judged->wipe) return fail(Errc::device_revoked);
    wipe(judged->order);
    const auto home = core_.box->home();
    lock.unlock();
    send_kept_receipt(home, custody_, stop);
    lock.lock();
    return fail(Errc::not_enrolled);
}

void Keeper::wipe(const std::optional<WipeOrder>& order) {
    auto& box = *core_.box;
    const bool complete = box.wipe();
    why_ = Why::wiped;
    core_.shut_out = Errc::not_enrolled;
    if (const auto identity = box.identity(); order && identity) {
        WipeReceipt receipt;
        receipt.result = complete ? WipeResult::complete : WipeResult::files_remain;
        receipt.user = core_.own().user;
        receipt.device = core_.own().device;
        receipt.order = order->id;
        receipt.done = core_.clock.now();
        receipt.sign(identity->secret);
        (void)keep_receipt(box.home(), receipt, *core_.provisioning);
    }
    box.shut();
    core_.changed.notify_all();
}

void Keeper::tick(Lock& lock, const Around& around, const std::stop_token& stop) {
    auto& box = *core_.box;
    if (why_ == Why::wiped || !core_.enrolled()) return;
    if (box.lease_over()) {
        why_ = Why::lease_over;
        core_.shut_out = Errc::locked;
        return;
    }
    if (box.state() == State::shut) return;
    const bool open = box.state() == State::open;
    const auto boot = core_.clock.boot();
    if (open && around.idle_since && boot >= *around.idle_since + core_.provisioning->policy.lock_after)
        return close(Why::idle);
    // What the link heard of the gateway concerns the share, too.
    const bool refused = around.refused ||
                         (open && (core_.shut_out == Errc::device_suspended || core_.shut_out == Errc::device_revoked));
    // New terms: the lease begins anew under them, or, where the gateway does not answer, ends by them.
    const bool changed = contacted_serial_ != core_.provisioning->policy.serial;
    if (refused || (around.online && (changed || boot >= next_contact_))) (void)contact(lock, stop);
    else if (changed) (void)box.limit_lease(terms());
}

}  // namespace nimes::agent::engine
