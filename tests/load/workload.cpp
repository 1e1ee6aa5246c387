#include "workload.hpp"

#include <algorithm>

namespace nimes::load {
namespace {

using agent::sealing::GrantRecipient;

GrantRecipient recipient(const Account& account) {
    return {account.dev_no, account.seal_key.record.key_id, account.seal_key.record.key};
}

Conversation pair_of(const Account& a, const Account& b, std::uint32_t receiver) {
    Conversation out;
    out.state.id = pair_id(a.user, b.user);
    out.state.pair = {std::min(a.user, b.user), std::max(a.user, b.user)};
    out.receivers = {receiver};
    return out;
}

// Measures what happens until `until`, once the warm-up is over.
Window measure(Fleet& fleet, Ledger& ledger, const Timing& timing) {
    const auto never = [] { return false; };
    fleet.run(never, micros(timing.warm_seconds));
    ledger.measure_from_here();
    const auto before = ledger.counts;
    const auto cpu = cpu_seconds();
    const auto began = micros_now();
    fleet.run(timing.enough ? timing.enough : never, micros(timing.seconds));
    return {static_cast<double>(micros_now() - began) / 1e6, ledger.counts.accepted - before.accepted,
            ledger.counts.delivered - before.delivered, cpu_seconds() - cpu};
}

Result<void> settled(Fleet& fleet, const char* what, const Timing& timing) {
    if (fleet.run([&] { return fleet.outstanding() == 0; }, micros(timing.patience_seconds))) return {};
    return fail(Errc::timed_out, std::string(what) + " are not accepted");
}

}  // namespace

nlohmann::json Window::json() const {
    return {{"seconds", seconds},
            {"accepted", accepted},
            {"delivered", delivered},
            {"accepted_per_second", static_cast<double>(accepted) / seconds},
            {"delivered_per_second", static_cast<double>(delivered) / seconds},
            {"client_cpu_seconds", cpu_seconds}};
}

Result<Window> run_pairs(Fleet& fleet, Ledger& ledger, const PairsPlan& plan, const Timing& timing) {
    const auto senders = plan.senders == 0 ? fleet.size() / 2 : plan.senders;
    if (senders == 0 || senders * 2 > fleet.size()) return fail(Errc::usage, "two devices for each pair");
    std::vector<Conversation> to;
    for (std::uint32_t i = 0; i < senders; ++i) {
        const auto partner = static_cast<std::uint32_t>(senders) + i;
        to.push_back(pair_of(fleet.device(i).account(), fleet.device(partner).account(), partner));
        to.back().wraps = {recipient(fleet.device(partner).account())};
        if (auto ok = fleet.device(i).grant(to.back(), fleet.wall(), micros_now()); !ok) return pass(ok);
    }
    if (auto ok = settled(fleet, "grants", timing); !ok) return pass(ok);

    bool sending = true;
    const auto say = [&](std::uint32_t i) {
        if (ledger.has_left(i) || ledger.has_left(to[i].receivers.front())) return;
        fleet.device(i).say(to[i], fleet.wall(), micros_now());
    };
    std::function<void()> beat;
    if (plan.rate > 0) {
        // An open loop: what is late does not slow down what follows.
        beat = [&, gap = static_cast<Micros>(1e6 / plan.rate), due = micros_now(), next = std::size_t{0}]() mutable {
            for (; sending && due <= micros_now(); due += gap) say(static_cast<std::uint32_t>(next++ % senders));
            if (sending) fleet.loop().at(due, [&beat] { beat(); });
        };
        beat();
    } else {
        ledger.on_accepted = [&](std::uint32_t i) {
            if (sending) say(i);
        };
        for (std::uint32_t i = 0; i < senders; ++i)
            for (std::size_t k = 0; k < plan.window; ++k) say(i);
    }
    const auto window = measure(fleet, ledger, timing);
    sending = false;
    drain(fleet, ledger, timing);
    ledger.on_accepted = nullptr;
    return window;
}

Result<Window> run_idle(Fleet& fleet, Ledger& ledger, const Timing& timing) { return measure(fleet, ledger, timing); }

bool drain(Fleet& fleet, Ledger& ledger, const Timing& timing) {
    const bool all = fleet.run([&] { return fleet.outstanding() == 0 && ledger.arrived() >= ledger.expected(); },
                               micros(timing.patience_seconds));
    ledger.settle();
    return all;
}

}  // namespace nimes::load
