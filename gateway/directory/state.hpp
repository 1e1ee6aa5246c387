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

struct UserState {
    Person person;
    DirectoryEntry entry;
    std::map<DeviceId, DeviceState> devices;
    std::optional<Digest> published_address;  // whose leaf stands in the map
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
std::string batch_key(const DeviceId& device);
std::string seal_key_key(const DeviceId& device, std::uint32_t day);
inline constexpr std::string_view kPersonKey = "p";
Bytes encode_device(const DeviceState& state);
DeviceState parse_device(ByteView bytes);

struct State {
    std::unordered_map<UserId, UserState> users;
    std::unordered_map<std::string, UserId> by_address;
    std::unordered_map<DeviceId, UserId> by_device;
    std::map<Digest, UserId> by_hash;  // of published addresses
    PrefixMap map;
    MerkleLog log;
    std::vector<HeadRow> heads;
    std::uint32_t next_dev_no = 1;
    std::uint64_t mirror_start = 0;  // deltas are known from here on
    std::uint64_t mirror_revision = 0;
    std::vector<std::pair<std::uint64_t, DeviceId>> mirror_changes;

    Result<void> load(store::Store& store, const OrgSecrets& secrets);
    // Puts the entry's leaves as they are now.
    void place(UserState& user);
    [[nodiscard]] UserState* user_of(const DeviceId& device);
    [[nodiscard]] const UserState* user_of(const DeviceId& device) const;
    [[nodiscard]] std::set<DeviceId> devices_in() const;  // not revoked

  private:
    Result<void> load_user(store::Store& store, const UserId& user, const OrgSecrets& secrets);
};

MirrorItem mirror_item(const UserState& user, const DeviceCert& cert);

}  // namespace nimes::gateway::directory
