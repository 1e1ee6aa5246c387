#include "engine/policy.hpp"

#include <algorithm>

#include "nimes/opaque.hpp"
#include "nimes/version.hpp"

namespace nimes::agent::engine {
namespace {

constexpr Millis kMostHold = 7 * kDay;
constexpr Millis kMostIdle = kDay;

// 15 minutes to 72 hours; what is outside, or not said, is 12 hours.
Millis grace_of(const v1::Policy& policy) {
    constexpr Millis kLeast = 15 * kMinute;
    constexpr Millis kMost = 72 * kHour;
    const auto grace = policy.offline_grace_minutes() != 0 ? policy.offline_grace_minutes() * kMinute
                                                           : policy.offline_grace_hours() * kHour;
    return grace >= kLeast && grace <= kMost ? grace : container::LeaseTerms{}.grace;
}

}  // namespace

ContentRules Policy::rules_for(const std::optional<std::string>& unit) const {
    if (pilot_units.empty()) return rules;
    if (unit) return std::find(pilot_units.begin(), pilot_units.end(), *unit) != pilot_units.end() ? pilot : rules;
    return {rules.export_allowed && pilot.export_allowed, rules.viewer_allowed && pilot.viewer_allowed,
            rules.history_allowed && pilot.history_allowed};
}

bool Policy::outdated(std::string_view agent_version) const {
    const auto wanted = Version::parse(minimum_agent), ours = Version::parse(agent_version);
    return wanted && (!ours || *ours < *wanted);
}

Policy Policy::of(const v1::Policy& said) {
    Policy out;
    if (said.retention_days() >= 1 && said.retention_days() <= 90) out.retention = said.retention_days() * kDay;
    if (said.device_hold_seconds() * kSecond <= kMostHold) out.device_hold = said.device_hold_seconds() * kSecond;
    out.lease.grace = grace_of(said);
    out.lease.survives_restart = said.restart_without_network();
    if (said.lock_after_seconds() > 0 && said.lock_after_seconds() * kSecond <= kMostIdle)
        out.lock_after = said.lock_after_seconds() * kSecond;
    out.private_devices_allowed = said.private_devices_allowed();
    out.further_by_approval = said.further_device() == v1::FURTHER_DEVICE_APPROVAL;
    out.minimum_agent = said.minimum_agent();
    out.rules = {said.export_allowed(), said.viewer_allowed(), said.history_allowed()};
    return out;
}

Result<Policy> Policy::open(ByteView record, const OrgKeys& keys, std::uint64_t held_serial,
                            std::uint64_t latest_serial) {
    const auto bytes = open_policy(keys.administrators, keys.org, record);
    if (!bytes) return fail(bytes.error().code, bytes.error().detail);
    v1::SignedPolicy in;
    if (!in.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())) || in.serial() == 0)
        return fail(Errc::malformed, "not a policy");
    if (in.serial() <= held_serial) return fail(Errc::exists, "not newer than the policy that is held");
    if (in.serial() > latest_serial) return fail(Errc::held, "this policy is of a time to come");
    auto out = of(in.policy());
    out.serial = in.serial();
    out.since = in.since_ms();
    out.pilot_units.assign(in.pilot().units().begin(), in.pilot().units().end());
    out.pilot = {in.pilot().export_allowed(), in.pilot().viewer_allowed(), in.pilot().history_allowed()};
    return out;
}

}  // namespace nimes::agent::engine
