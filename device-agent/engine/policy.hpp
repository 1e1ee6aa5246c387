// What the organisation lets this handset do (FORMATS.md 2.2): as the provisioning file said it, and from then on as an
// administrator key signs it.
//
// A signed policy counts if a pinned administrator key signed it, its serial is higher than that of the one held, and
// does not lie in a time to come. Retention, grace, hold and lock outside of their bounds are the defaults below.
// Values; pure; thread safe. Errors of open(): Errc::malformed, too_large, signature_invalid, held (of a time to come),
// exists (not newer than the one held).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/lease.hpp"
#include "nimes/entry.hpp"
#include "nimes/v1/provisioning.pb.h"

namespace nimes::agent::engine {

// What a person may do with content, in whichever unit.
struct ContentRules {
    bool export_allowed = false;
    bool viewer_allowed = false;   // another program may show a medium that it gets through a pipe; export implies it
    bool history_allowed = false;  // from a person's old device to the new one
};

struct Policy {
    std::uint64_t serial = 0;  // 0: as it came with the provisioning file
    Millis since = 0;          // when it came to say this; 0: not known

    Millis retention = 7 * kDay;
    Millis device_hold = 900 * kSecond;
    container::LeaseTerms lease;
    Millis lock_after = 5 * kMinute;  // without use
    bool private_devices_allowed = false;
    bool further_by_approval = false;  // an administrator lets each further device in
    std::string minimum_agent;         // older ones say nothing new; "": any

    ContentRules rules;  // for all but
    std::vector<std::string> pilot_units;
    ContentRules pilot;

    // `unit` is not known (nullopt) behind a lock, or before the own entry came: then what either forbids is forbidden.
    [[nodiscard]] ContentRules rules_for(const std::optional<std::string>& unit) const;
    [[nodiscard]] bool outdated(std::string_view agent_version) const;

    static Policy of(const v1::Policy& said);
    static Result<Policy> open(ByteView record, const OrgKeys& keys, std::uint64_t held_serial,
                               std::uint64_t latest_serial);
};

}  // namespace nimes::agent::engine
