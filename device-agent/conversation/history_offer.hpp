// May this offer of a history be taken, or this device be offered one? (FORMATS.md 2.9)
//
// Only from a device of one's own that stands active in the own entry, as the directory proves it, for exactly this
// certificate, and within an hour. Policy may switch it off; devices that are private property are left out always.
// Pure; thread safe. Errors: Errc::forbidden (policy, a private device, another person's or another certificate's),
// device_revoked (the one that offers), signature_invalid, timed_out, malformed (lengths that cannot be).
#pragma once

#include "conversation/history_bundle.hpp"
#include "nimes/control.hpp"
#include "nimes/entry.hpp"

namespace nimes::agent::conversation {

struct HistoryFacts {
    const DeviceCert& own;                  // of this device
    const DirectoryEntry* entry = nullptr;  // the own one, proven
    bool allowed = false;                   // by policy
    Millis now = 0;
};

Digest cert_hash(const DeviceCert& cert);
// The certificate of the other device, if it may give or take a history.
Result<const DeviceCert*> judge_history_device(const DeviceId& other, const HistoryFacts& facts);
Result<void> judge_history_offer(const HistoryOffer& offer, const HistoryFacts& facts);
// As a person typed it: capitals, spaces and hyphens do not count.
[[nodiscard]] bool same_history_code(std::string_view typed, std::string_view code);

}  // namespace nimes::agent::conversation
