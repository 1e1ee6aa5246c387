// Appointments: the one event that the organisation signs in a group (FORMATS.md 2.5, "Orphans").
//
// A group of which no administrator has a device left gets one from among its members. Nothing else can be done with an
// administrator key, nobody comes in by it, and every member judges it. Pure; thread safe.
// Errors: Errc::not_a_member, exists (that member is one already).
#pragma once

#include "nimes/conversation_event.hpp"
#include "nimes/entry.hpp"

namespace nimes {

// The epoch that an appointment stands on.
struct AppointmentBase {
    ConversationId conversation;
    std::uint64_t epoch = 0;
    Digest state;
    const Roster& roster;
};

Result<ConvEvent> make_appointment(const SigningKeyPair& administrator, const OrgId& org, const AppointmentBase& base,
                                   const UserId& member, const DirectoryHead& head, Millis now);
// By a pinned administrator key, over this organisation's name.
[[nodiscard]] bool verify_appointment(const ConvEvent& event, const OrgKeys& keys);
// Of one who is in that roster, and not an administrator yet.
[[nodiscard]] bool appoints_member(const ConvEvent& event, const Roster& before);
// Not made before the head that it names, but for clocks: else it could speak of a time before any device began.
[[nodiscard]] bool follows_head(const ConvEvent& event, Millis head_ts);
// It had begun by then, and no revocation had taken effect: whose device this is, is not gone. Dates after its end do
// not count: what has run out can be renewed.
[[nodiscard]] bool stands(const DeviceCert& cert, const DeviceRevoke* revoke, Millis at);
[[nodiscard]] bool has_device(const DirectoryEntry& entry, Millis at);

}  // namespace nimes
