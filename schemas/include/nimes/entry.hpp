// A directory entry: all device records of one user, and what a thin client must check before it believes one
// (FORMATS.md, "Lookup" steps 2 to 6).
//
// verify_entry() answers the parsed entry or the first step that failed: Errc::proof_invalid (evidence against the
// directory: refuse the entry, keep it, alarm), Errc::malformed. Pure; thread safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nimes/device_record.hpp"
#include "nimes/directory_head.hpp"
#include "nimes/prefix_map.hpp"

namespace nimes {

inline constexpr std::size_t kMaxRecords = 128;
inline constexpr std::size_t kMaxActiveDevices = 7;

// The organisation's public keys, pinned by the provisioning file.
struct OrgKeys {
    OrgId org;
    PublicKey ea;
    PublicKey directory;
    std::vector<PublicKey> administrators;

    [[nodiscard]] const PublicKey* administrator(const DeviceId& actor) const;
};

struct DirectoryEntry {
    UserId user;
    std::vector<DeviceCert> certs;      // ascending by dev16
    std::vector<DeviceRevoke> revokes;  // ascending by dev16

    bool operator==(const DirectoryEntry&) const = default;
    [[nodiscard]] const DeviceCert* cert(const DeviceId& device) const;
    [[nodiscard]] const DeviceRevoke* revoke(const DeviceId& device) const;
    // Unrevoked, within its dates, and of the entry's address. `now` is the time for admitting.
    [[nodiscard]] bool active(const DeviceId& device, Millis now) const;
    [[nodiscard]] std::vector<const DeviceCert*> active_devices(Millis now) const;
    // Address hash of the unrevoked certificate with the highest seq; nullopt when all are revoked.
    [[nodiscard]] std::optional<Digest> address() const;
    [[nodiscard]] std::uint32_t next_seq() const;
    [[nodiscard]] std::vector<Bytes> records() const;  // as hashed into the leaf
    [[nodiscard]] MapLeaf leaf() const;
};

// Steps 2 and 3 and the leaf: records parse, are ordered, are signed, follow the rules of vouchers and actors.
// Used by agents on look-ups and by the directory before it publishes.
Result<DirectoryEntry> parse_entry(const UserId& user, std::span<const Bytes> records, const OrgKeys& keys);
// Step 5: nothing that was seen may vanish but by its rules.
Result<void> check_successor(const DirectoryEntry& held, const DirectoryEntry& newer, Millis now);
// Step 6.
Result<void> check_presence(const DirectoryEntry& entry, const MapPath& path, const DirectoryHead& head);
// Step 4.
Result<void> check_address(const DirectoryEntry& entry, const Digest& attest_hash, const MapPath& path,
                           const DirectoryHead& head);

}  // namespace nimes
