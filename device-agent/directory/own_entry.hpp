// Is the own entry as it should be? (FORMATS.md 2.11.6) Pure; thread safe.
#pragma once

#include <set>

#include "nimes/entry.hpp"

namespace nimes::agent::directory {

struct OwnEntryVerdict {
    bool missing = false;                    // our certificate is not there, or another one stands in its place
    const DeviceRevoke* revoked = nullptr;   // of this device
    std::vector<const DeviceCert*> unknown;  // devices that this one never heard of: an alarm
};

OwnEntryVerdict check_own_entry(const DirectoryEntry& entry, const DeviceCert& own, const std::set<DeviceId>& known);

}  // namespace nimes::agent::directory
