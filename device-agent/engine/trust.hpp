// Who is verified, and which devices of one's own nobody has answered for yet (FORMATS.md 2.3, 2.11.6).
//
// Table::verified has a row for each scanned device, by its dev16; a scan is never forgotten. A device in the own entry
// that this one does not know raises an alarm, and it stays open, across restarts, until the person confirms or revokes
// the device. Functions want the core's lock held; none asks the network. Errors: the store's; Errc::not_found.
#pragma once

#include "engine/core.hpp"

namespace nimes::agent::engine {

Result<void> load_trust(Core& core, container::Transaction& tx);

// Of anybody's device, one's own included: this device counts as scanned by itself.
directory::DeviceTrust trust_of(const Core& core, const directory::HeldEntry& held, const DeviceId& device);
directory::PersonTrust trust_of(const Core& core, const directory::HeldEntry& held);

// The person held the other's screen in view: level 3 from now on.
Result<void> put_scanned(Core& core, const directory::HeldEntry& held, const DeviceId& device);

// This device vouched for that one, or the person knows it: no alarm, and an open one ends.
Result<void> know_own_device(Core& core, const DeviceId& device);
// The same, for a device that an open alarm names, or that is known already. Errc::not_found.
Result<void> confirm_own_device(Core& core, const DeviceId& device);
// Compares the own entry with what is known: alarms for what is new, ends those that a revocation has answered.
Result<void> judge_own_devices(Core& core, const DirectoryEntry& entry);
// A proven revocation of this device, or its own word: out for good, also after a restart.
Result<void> note_own_revocation(Core& core);

}  // namespace nimes::agent::engine
