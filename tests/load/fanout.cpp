// One message for everyone: a group of all users, its chain granted to all devices, then message after message.
#include <algorithm>

#include "group.hpp"
#include "workload.hpp"

namespace nimes::load {

nlohmann::json FanoutTimes::json() const {
    const auto middle = [](std::vector<double> v) {
        std::sort(v.begin(), v.end());
        return v.empty() ? 0.0 : v[v.size() / 2];
    };
    return {{"messages", last.size()},
            {"accepted_ms", middle(accepted)},
            {"median_ms", middle(median)},
            {"last_ms", middle(last)},
            {"every_last_ms", last}};
}

Result<FanoutTimes> run_fanout(Fleet& fleet, Ledger& ledger, std::size_t messages, const Timing& timing) {
    if (fleet.size() < 2) return fail(Errc::usage, "two devices at least");
    Conversation all;
    for (std::uint32_t i = 1; i < fleet.size(); ++i) {
        const auto& account = fleet.device(i).account();
        all.receivers.push_back(i);
        all.wraps.push_back({account.dev_no, account.seal_key.record.key_id, account.seal_key.record.key});
    }
    std::vector<const Account*> members;
    for (std::uint32_t i = 0; i < fleet.size(); ++i) members.push_back(&fleet.device(i).account());
    const auto event = group_of(members, fleet.wall(), fleet.random());
    all.state.id = event.conversation;
    auto& speaker = fleet.device(0);
    const auto patience = micros(timing.patience_seconds);
    speaker.create_group(event, all, micros_now());
    if (!fleet.run([&] { return speaker.outstanding() == 0; }, patience)) return fail(Errc::timed_out, "the group");
    if (auto ok = speaker.grant(all, fleet.wall(), micros_now()); !ok) return pass(ok);
    if (!fleet.run([&] { return speaker.outstanding() == 0; }, patience)) return fail(Errc::timed_out, "the grant");
    fleet.run([] { return false; }, micros(timing.warm_seconds));  // until the grants are delivered and acknowledged

    FanoutTimes out;
    for (std::size_t n = 0; n < messages; ++n) {
        const auto before = ledger.counts.delivered;
        const auto began = micros_now();
        Micros half = 0, told = 0;
        std::size_t reached = 0;
        ledger.on_delivered = [&](std::uint32_t, std::uint32_t, std::uint32_t) {
            if (++reached == all.receivers.size() / 2) half = micros_now();
        };
        ledger.on_accepted = [&](std::uint32_t) { told = micros_now(); };
        speaker.say(all, fleet.wall(), began);
        const bool done =
            fleet.run([&] { return ledger.counts.delivered - before >= all.receivers.size() && told != 0; }, patience);
        ledger.on_delivered = nullptr;
        ledger.on_accepted = nullptr;
        if (!done) {
            ledger.settle();
            return fail(Errc::timed_out, std::to_string(ledger.counts.delivered - before) + " of " +
                                             std::to_string(all.receivers.size()) + " devices have the message");
        }
        const auto ms = [&](Micros t) { return static_cast<double>(t - began) / 1'000.0; };
        out.accepted.push_back(ms(told));
        out.median.push_back(ms(half));
        out.last.push_back(ms(micros_now()));
        fleet.run([] { return false; }, 300'000);  // acknowledgements of this one do not slow the next
    }
    drain(fleet, ledger, timing);
    return out;
}

}  // namespace nimes::load
