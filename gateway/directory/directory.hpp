// The device directory: who is in the organisation, which devices they have, and signed proof of it for everyone
// (FORMATS.md 2.3, 2.4, 2.11; key layout in LAYOUT.md).
//
// Every change is on disk when its function answers, and published at once in a new head. A crash between a change and
// its head is mended at the next open(): a head follows. Entries are verified as an agent would before they are stored.
// Threads: all functions from any thread. Observers are called after the change, outside the lock, on the thread that
// made it; set them before others call. Ownership: store, clock and random source must outlive it.
// Errors: Errc::not_found, exists, device_unknown, device_revoked, device_suspended, device_limit, proof_invalid,
// malformed, too_large, storage, storage_conflict (the entry moved on since the body was made: make it anew).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "directory/org_keys.hpp"
#include "nimes/mirror.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/service_address.hpp"
#include "nimes/v1/directory.pb.h"
#include "store/store.hpp"

namespace nimes::gateway::directory {

struct PersonFields {
    ServiceAddress address;
    std::string name;  // "Meyer, Anna"
    std::string rank;
    std::string unit;
};

struct Person {
    UserId user;
    std::string address, name, rank, unit;
    std::uint64_t seq = 0;
    Bytes record;  // signed
};

struct Target {
    DeviceId device;
    UserId user;
    std::uint32_t dev_no = 0;
};

struct DeviceFacts {
    DeviceCert cert;
    std::optional<DeviceRevoke> revoke;
    bool suspended = false;
    std::uint32_t dev_no = 0;
};

// Who moved since a revision: a hint for agents.
struct Changes {
    std::uint64_t revision = 0;
    std::vector<UserId> users;
    bool too_many = false;
};

// A revision whole. It shares its leaves with the directory and never changes.
struct Dump {
    DirectoryHead head;
    PrefixMap map;
};

class Directory {
  public:
    enum class Put : std::uint8_t { added, changed, unchanged };
    struct Observers {
        std::function<void()> head_moved;
        std::function<void()> mirror_moved;             // a device was admitted, suspended, resumed or revoked
        std::function<void(const DeviceId&)> shut_out;  // suspended or revoked
    };

    static Result<std::unique_ptr<Directory>> open(store::Store& store, OrgSecrets secrets, const Clock& clock,
                                                   RandomSource& random);
    ~Directory();
    void observe(Observers observers);
    // Publishes a head when the newest is an hour old. Call it every few seconds.
    Result<void> tick();

    // People.
    // `along` is committed with the change, before it, and not at all if nothing changes.
    Result<Put> put_person(const PersonFields& fields, const store::Batch* along = nullptr);
    [[nodiscard]] std::optional<Person> person(const ServiceAddress& address) const;
    [[nodiscard]] std::optional<Person> person(const UserId& user) const;
    [[nodiscard]] std::vector<Person> people() const;

    // Devices. The 128 bytes for a device that is about to join: sequence number, address hash and dates are set.
    Result<DeviceCert> draft(const UserId& user, const PublicKey& identity, DeviceRole role, Admission admission,
                             std::uint16_t platform, Millis not_before) const;
    // Signs, verifies, stores and publishes. `signed_cert` has everything but EA's signature.
    Result<DeviceCert> certify(DeviceCert signed_cert);
    // The administrator's voucher for a device whose owner has no other one left.
    [[nodiscard]] std::pair<DeviceId, Signature> approve(const DeviceCert& draft) const;
    // All of them, in one head; one wrong device refuses all. Those revoked already are left as they are.
    Result<void> revoke(std::span<const DeviceId> devices, RevokeReason reason);
    Result<void> suspend(std::span<const DeviceId> devices);
    Result<void> resume(std::span<const DeviceId> devices);
    Result<void> revoke(const DeviceId& device, RevokeReason reason);
    Result<void> suspend(const DeviceId& device);
    Result<void> resume(const DeviceId& device);
    // A closed person enrols no device. Their devices are another matter.
    Result<void> set_closed(const UserId& user, bool closed);
    [[nodiscard]] bool closed(const UserId& user) const;
    // Of revoked devices: those that are handed out once, too.
    Result<void> destroy_seal_keys(std::span<const DeviceId> devices);
    Result<void> destroy_seal_keys(const DeviceId& device) { return destroy_seal_keys(std::span(&device, 1)); }
    // What a person's own device signed: it, or another one of the same person, is out for good. Applied like an
    // administrator's; the same record again answers the same. Errc::forbidden (the actor is not the caller),
    // not_found (no device of this person), signature_invalid, malformed (not of now), storage_conflict (another seq
    // is next), and admit()'s of the caller.
    Result<void> revoke_own(const DeviceId& caller, const DeviceRevoke& record);
    // A batch of day keys, with one-time keys beside it; or more one-time keys of the batch that is there.
    Result<void> put_seal_keys(const DeviceId& device, std::span<const Bytes> keys,
                               std::span<const Bytes> one_time = {});
    [[nodiscard]] std::vector<DeviceFacts> devices(const std::optional<UserId>& of) const;
    [[nodiscard]] std::optional<DeviceFacts> device(const DeviceId& device) const;
    [[nodiscard]] std::vector<DeviceFacts> revoked_devices() const;

    // Who is it, may it enter now? Errc::device_unknown, device_suspended, device_revoked.
    Result<UserId> admit(const DeviceId& device) const;
    [[nodiscard]] std::optional<PublicKey> identity_of(const DeviceId& device) const;
    [[nodiscard]] std::uint32_t seal_batch(const DeviceId& device) const;  // 0: none
    // Active, not suspended devices. Errc::recipient_unknown.
    Result<std::vector<Target>> targets_of(const UserId& user) const;

    // Answers for agents.
    Result<v1::LookupAnswer> lookup(const v1::LookupRequest& request) const;
    // The same with the one-time keys that a device asks for, each handed out for good, and how many of its own are
    // left.
    Result<v1::LookupAnswer> lookup_for(const DeviceId& asker, const v1::LookupRequest& request);
    Result<v1::HeadAnswer> head(std::uint64_t held) const;
    Result<v1::OldHeadAnswer> old_head(std::uint64_t revision, std::uint64_t under) const;
    // Of a revision of the last days; 0: the newest. Errc::not_found.
    Result<Dump> dump(std::uint64_t revision) const;
    // By the beginning of name and unit, without regard to case.
    [[nodiscard]] v1::People find_people(std::string_view name, std::string_view unit) const;
    [[nodiscard]] Changes changes_since(std::uint64_t revision) const;
    [[nodiscard]] DirectoryHead newest_head() const;

    // For the broker's mirror. Revisions rise with every change and across restarts.
    [[nodiscard]] std::uint64_t mirror_revision() const;
    [[nodiscard]] std::vector<MirrorItem> mirror_all() const;
    // nullopt: from before this start, or unknown: send everything.
    [[nodiscard]] std::optional<std::vector<MirrorItem>> mirror_since(std::uint64_t revision) const;

    [[nodiscard]] const OrgSecrets& secrets() const;

  private:
    struct Impl;
    explicit Directory(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::directory
