// How far a person's devices are verified (FORMATS.md 2.3, "Verified contacts"). Pure; thread safe.
#pragma once

#include <map>
#include <set>

#include "directory/held_directory.hpp"

namespace nimes::agent::directory {

// A device whose code was scanned from its own screen.
struct Scanned {
    UserId user;
    Millis at = 0;
    std::set<DeviceId> beside;  // the user's devices at that time: what is not among them came later

    [[nodiscard]] Bytes encode() const;
    static Result<Scanned> parse(ByteView bytes);
};
using ScannedDevices = std::map<DeviceId, Scanned>;

struct DeviceTrust {
    int level = 0;        // 0 unknown, 1 entry proven, 2 address checked, 3 scanned, or vouched for by a scanned one
    bool is_new = false;  // came after a device of its user was scanned, and is not verified
};
DeviceTrust trust_of(const HeldEntry& entry, const DeviceId& device, const ScannedDevices& scanned);

struct PersonTrust {
    int level = 0;  // the lowest of the active devices: what is sealed goes to all of them
    std::size_t new_devices = 0;
};
PersonTrust trust_of(const HeldEntry& entry, const ScannedDevices& scanned, Millis now);

}  // namespace nimes::agent::directory
