// The directory in memory, rebuilt from the store at open(): people, entries, map, heads, mirror. Private to this room;
// Directory holds its lock around every call.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "directory/directory.hpp"
#include "nimes/opaque.hpp"

namespace nimes::gateway::directory {

struct DeviceState {
    std::uint32_t dev_no = 0;
    bool suspended = false;
    std::uint32_t seal_batch = 0;
};

// An entry as it was before a revision changed it: what every kept revision below `until` says.
struct Past {
    std::uint64_t until = 0;
    DirectoryEntry entry;
};

struct UserState {
    Person person;
    DirectoryEntry entry;
    std::vector<Past> past;  // oldest first
    std::map<DeviceId, DeviceState> devices;
    std::optional<Digest> published_address;  // whose leaf stands in the map
    bool closed = false;                      // enrols no device
};

struct HeadRow {
    DirectoryHead head;
    std::vector<UserId> changed;
    bool too_many = false;
    [[nodiscard]] Bytes encode() const;
    static Result<HeadRow> parse(ByteView bytes);
};

// Where rows stand (LAYOUT.md).
store::Partition user_partition(const UserId& user);
std::optional<UserId> user_of_partition(std::string_view name);
store::Partition heads_partition();
store::Partition mirror_partition();
std::string cert_key(const DeviceId& device);
std::string revoke_key(const DeviceId& device);
std::string device_key(const DeviceId& device);
std::string past_key(std::uint64_t until);
std::string batch_key(const DeviceId& device);
std::string seal_key_key(const DeviceId& device, std::uint32_t day);
inline constexpr std::string_view kPersonKey = "p";
inline constexpr std::string_view kClosedKey = "x";
Bytes encode_device(const DeviceState& state);
DeviceState parse_device(ByteView bytes);
Bytes encode_past(const DirectoryEntry& entry);
Result<DirectoryEntry> parse_past(const UserId& user, ByteView bytes, const OrgKeys& keys);

// An agent looks under a head for 7 days, and tries for a day (FORMATS.md 2.11.6).
inline constexpr Millis kMapsKept = 9 * kDay;

struct State {
    std::unordered_map<UserId, UserState> users;
    std::unordered_map<std::string, UserId> by_address;
    std::unordered_map<DeviceId, UserId> by_device;
    std::map<Digest, UserId> by_hash;  // of published addresses
    PrefixMap map;
    MerkleLog log;
    std::vector<HeadRow> heads;
    std::map<std::uint64_t, PrefixMap> maps;  // by revision: the newest, and those that were the newest in kMapsKept
    std::uint32_t next_dev_no = 1;
    std::uint64_t mirror_start = 0;  // deltas are known from here on
    std::uint64_t mirror_revision = 0;
    std::vector<std::pair<std::uint64_t, DeviceId>> mirror_changes;

    Result<void> load(store::Store& store, const OrgSecrets& secrets);
    // Puts the entry's leaves as they are now.
    void place(UserState& user);
    // The map as it is now is that of the newest head; older ones go when their time is over.
    void keep_map(Millis now);
    // After load(): walks back from the map as it is to those of the heads before.
    void rebuild_maps(Millis now);
    // The entry under a kept revision.
    [[nodiscard]] const DirectoryEntry& entry_under(const UserState& user, std::uint64_t revision) const;
    [[nodiscard]] UserState* user_of(const DeviceId& device);
    [[nodiscard]] const UserState* user_of(const DeviceId& device) const;
    [[nodiscard]] std::set<DeviceId> devices_in() const;  // not revoked

  private:
    Result<void> load_user(store::Store& store, const UserId& user, const OrgSecrets& secrets);
};

MirrorItem mirror_item(const UserState& user, const DeviceCert& cert);

}  // namespace nimes::gateway::directory
