#include "directory/state.hpp"

#include <algorithm>

namespace nimes::gateway::directory {
namespace {

constexpr std::size_t kScan = 1'000;
constexpr std::size_t kMaxChanged = 1'000;
constexpr std::uint32_t kTooMany = 0xffff'ffff;

std::string raw(const DeviceId& device) { return std::string(as_text(device.view())); }

Result<Person> parse_person(const UserId& user, ByteView record, const OrgSecrets& secrets) {
    const auto bytes = open_person(secrets.ea.public_key, secrets.org, record);
    v1::Person in;
    if (!bytes || !in.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())))
        return fail(Errc::storage, "a stored person record is damaged, or signed by another key");
    return Person{user, in.address(), in.name(), in.rank(), in.unit(), in.seq(), to_bytes(record)};
}

}  // namespace

Bytes HeadRow::encode() const {
    Writer out;
    out.bytes(head.encode());
    const bool many = too_many || changed.size() > kMaxChanged;
    out.u32(many ? kTooMany : static_cast<std::uint32_t>(changed.size()));
    if (!many)
        for (const auto& user : changed) out.id(user);
    return std::move(out).take();
}

Result<HeadRow> HeadRow::parse(ByteView bytes) {
    Reader in(bytes);
    HeadRow out;
    auto head = DirectoryHead::parse(in.take(DirectoryHead::kBytes));
    if (!head) return fail(Errc::storage, "a stored head is damaged");
    out.head = *head;
    const auto n = in.u32();
    out.too_many = n == kTooMany;
    if (!out.too_many)
        for (std::uint32_t i = 0; i < n && !in.failed(); ++i) out.changed.push_back(in.id<UserId>());
    if (!in.done()) return fail(Errc::storage, "a stored head is damaged");
    return out;
}

store::Partition user_partition(const UserId& user) {
    return {store::Family::directory, "u" + std::string(as_text(user.view()))};
}
std::optional<UserId> user_of_partition(std::string_view name) {
    if (name.size() != 1 + UserId::size || name[0] != 'u') return std::nullopt;
    return UserId::from(as_bytes(name.substr(1)));
}
store::Partition heads_partition() { return {store::Family::directory, "heads"}; }
store::Partition mirror_partition() { return {store::Family::directory, "mirror"}; }
std::string cert_key(const DeviceId& device) { return "c" + raw(device); }
std::string revoke_key(const DeviceId& device) { return "r" + raw(device); }
std::string device_key(const DeviceId& device) { return "d" + raw(device); }
std::string batch_key(const DeviceId& device) { return "b" + raw(device); }
std::string seal_key_key(const DeviceId& device, std::uint32_t day) { return "k" + raw(device) + store::key_u64(day); }

Bytes encode_device(const DeviceState& state) {
    return std::move(Writer().u32(state.dev_no).u8(state.suspended ? 1 : 0)).take();
}
DeviceState parse_device(ByteView bytes) {
    Reader in(bytes);
    DeviceState out;
    out.dev_no = in.u32();
    out.suspended = in.u8() != 0;
    return out;
}

Result<void> State::load(store::Store& store, const OrgSecrets& secrets) {
    for (std::string from;;) {
        auto names = store.partitions(store::Family::directory, from, kScan);
        if (!names) return pass(names);
        for (const auto& name : *names)
            if (const auto user = user_of_partition(name))
                if (auto ok = load_user(store, *user, secrets); !ok) return ok;
        if (names->size() < kScan) break;
        from = names->back() + '\0';
    }
    for (std::string from;;) {
        auto rows = store.scan(heads_partition(), from, {}, kScan);
        if (!rows) return pass(rows);
        for (const auto& row : *rows) {
            auto head = HeadRow::parse(row.value);
            if (!head) return pass(head);
            if (head->head.revision != heads.size() + 1) return fail(Errc::storage, "a stored head is missing");
            log.append(head->head.hash());
            heads.push_back(std::move(*head));
        }
        if (rows->size() < kScan) break;
        from = rows->back().key + '\0';
    }
    auto mirror = store.get(mirror_partition(), "revision");
    if (!mirror) return pass(mirror);
    if (*mirror) mirror_revision = store::u64_of(as_text(**mirror)).value_or(0);
    return {};
}

Result<void> State::load_user(store::Store& store, const UserId& id, const OrgSecrets& secrets) {
    auto rows = store.scan(user_partition(id), {}, {}, 100 * kScan);
    if (!rows) return pass(rows);
    UserState user;
    user.entry.user = id;
    std::vector<Bytes> records;  // keys sort certificates by device, then revocations
    for (const auto& row : *rows) {
        if (row.key == kPersonKey) {
            auto person = parse_person(id, row.value, secrets);
            if (!person) return pass(person);
            user.person = std::move(*person);
        } else if (row.key == kClosedKey) {
            user.closed = true;
        } else if (row.key[0] == 'c' || row.key[0] == 'r') {
            records.push_back(row.value);
        } else if (row.key[0] == 'd') {
            const auto seal_batch = user.devices[DeviceId::from(as_bytes(row.key).subspan(1))].seal_batch;
            auto& device = user.devices[DeviceId::from(as_bytes(row.key).subspan(1))] = parse_device(row.value);
            device.seal_batch = seal_batch;
            next_dev_no = std::max(next_dev_no, device.dev_no + 1);
        } else if (row.key[0] == 'a') {
            auto entry = parse_past(id, row.value, secrets.public_keys());
            const auto until = store::u64_of(std::string_view(row.key).substr(1));
            // Without it older maps come out with other roots than their heads say, and are left out.
            if (entry && until) user.past.push_back({*until, std::move(*entry)});
        } else if (row.key[0] == 'b') {
            user.devices[DeviceId::from(as_bytes(row.key).subspan(1))].seal_batch = Reader(row.value).u32();
        }
    }
    if (user.person.user != id) return fail(Errc::storage, "an entry without a person");
    if (!records.empty()) {
        auto entry = parse_entry(id, records, secrets.public_keys());
        if (!entry) return fail(Errc::storage, "a stored entry does not verify: " + entry.error().detail);
        user.entry = std::move(*entry);
    }
    for (const auto& cert : user.entry.certs) by_device[cert.device] = id;
    by_address[user.person.address] = id;
    place(users[id] = std::move(user));
    return {};
}

void State::place(UserState& user) {
    if (user.entry.certs.empty()) return;
    map.put(user.entry.leaf());
    const auto address = user.entry.address();
    if (user.published_address && user.published_address != address) {
        map.erase(address_leaf(*user.published_address, user.entry.user).key());
        by_hash.erase(*user.published_address);
    }
    user.published_address = address;
    if (!address) return;
    map.put(address_leaf(*address, user.entry.user));
    by_hash[*address] = user.entry.user;
}

UserState* State::user_of(const DeviceId& device) {
    const auto at = by_device.find(device);
    return at == by_device.end() ? nullptr : &users.at(at->second);
}
const UserState* State::user_of(const DeviceId& device) const {
    const auto at = by_device.find(device);
    return at == by_device.end() ? nullptr : &users.at(at->second);
}

std::set<DeviceId> State::devices_in() const {
    std::set<DeviceId> out;
    for (const auto& [id, user] : users)
        for (const auto& cert : user.entry.certs)
            if (user.entry.revoke(cert.device) == nullptr) out.insert(cert.device);
    return out;
}

MirrorItem mirror_item(const UserState& user, const DeviceCert& cert) {
    MirrorItem out{cert.device, cert.identity, MirrorState::active, cert.not_before, cert.not_after};
    const auto at = user.devices.find(cert.device);
    if (at != user.devices.end() && at->second.suspended) out.state = MirrorState::suspended;
    if (user.entry.revoke(cert.device) != nullptr) out.state = MirrorState::revoked;
    return out;
}

}  // namespace nimes::gateway::directory
