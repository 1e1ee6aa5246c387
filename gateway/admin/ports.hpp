// What the administration needs of the directory; `app` implements it. Called from HTTP worker threads, several at
// once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nimes/device_record.hpp"
#include "nimes/service_address.hpp"
#include "store/store.hpp"

namespace nimes::gateway::admin {

struct PersonFields {
    ServiceAddress address;
    std::string name;  // "Meyer, Anna"
    std::string rank;
    std::string unit;
};

struct PersonLine {
    std::string address, name, rank, unit;
    bool shut_out = false;  // enrols nothing
};

struct DeviceLine {
    DeviceId device;
    std::string address;
    std::string name;
    std::string unit;
    std::string state;   // active, suspended, revoked, expired
    std::string reason;  // of a revocation
    DeviceRole role = DeviceRole::service;
    std::uint16_t platform = 0;
    Millis not_before = 0;
    Millis not_after = 0;
};

struct WaitingLine {
    DeviceId device;
    std::string address;
    std::string name;
    std::string unit;
    std::uint16_t platform = 0;
    bool shut_out = false;  // their person: enrolment would refuse the device
};

// Devices of people who have lost all others wait for an administrator.
class Approvals {
  public:
    virtual ~Approvals() = default;
    virtual Result<std::vector<WaitingLine>> waiting() = 0;
    virtual Result<void> approve(const DeviceId& device) = 0;
};

// The wipe of a revoked device; times in ms since 1970 UTC, 0: not yet, or never ordered.
struct WipeLine {
    Millis ordered = 0;
    Millis expires = 0;
    Millis delivered = 0;
    Millis receipted = 0;
    bool files_remain = false;  // the keys are erased, some files could not be
};

class Wipes {
  public:
    virtual ~Wipes() = default;
    virtual Result<WipeLine> wipe(const DeviceId& device) = 0;
};

struct GroupMemberLine {
    std::string address, name;
    std::string role;         // reader, poster, administrator
    bool has_device = false;  // one that no revocation names
};

struct GroupLine {
    ConversationId id;
    std::uint64_t epoch = 0;
    bool closed = false;
    bool orphaned = false;  // no administrator of it has a device
    std::vector<GroupMemberLine> members;
};

// Groups by their rosters, which are all that a gateway sees of them.
class Groups {
  public:
    virtual ~Groups() = default;
    // Errc::conversation_unknown.
    virtual Result<GroupLine> group(const ConversationId& id) = 0;
    virtual Result<std::vector<GroupLine>> orphaned() = 0;
    // Makes a member of an orphaned group its administrator. Errc::forbidden (it is not orphaned, or closed),
    // not_a_member, not_found (no such person, or no device of theirs), epoch_conflict (it moved meanwhile: try again).
    virtual Result<void> appoint(const ConversationId& id, const ServiceAddress& member) = 0;
};

// People and all their devices, by one order that can be undone. Answers its number.
class Suspensions {
  public:
    virtual ~Suspensions() = default;
    virtual Result<std::uint64_t> suspend(const std::vector<std::string>& addresses, const std::string& who,
                                          const std::string& why) = 0;
};

class Registry {
  public:
    virtual ~Registry() = default;
    enum class Change : std::uint8_t { added, changed, unchanged };
    // `row` is committed with the change, and not at all if nothing changes.
    virtual Result<Change> put_person(const PersonFields& person, const store::Batch& row) = 0;
    virtual std::vector<PersonLine> people() const = 0;
    virtual std::vector<DeviceLine> devices(const std::optional<ServiceAddress>& of) const = 0;
    virtual std::optional<PersonLine> owner_of(const DeviceId& device) const = 0;
};

}  // namespace nimes::gateway::admin
