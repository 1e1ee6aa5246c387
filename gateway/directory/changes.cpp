// What changes the directory: people, certificates, heads. Who is shut out: shut_out.cpp.
#include <algorithm>

#include "directory/impl.hpp"

namespace nimes::gateway::directory {
namespace {

constexpr Millis kCertificateLife = Millis{1'095} * kDay;
constexpr std::size_t kMirrorKept = 100'000;

bool same(const Person& person, const PersonFields& fields) {
    return person.name == fields.name && person.rank == fields.rank && person.unit == fields.unit;
}

}  // namespace

Result<void> Directory::Impl::publish(const std::vector<UserId>& changed, bool too_many) {
    DirectoryHead head;
    head.revision = state.heads.size() + 1;
    head.ts = clock.now();
    if (!state.heads.empty()) head.ts = std::max(head.ts, state.heads.back().head.ts);
    head.n_leaves = state.map.size();
    head.map_root = state.map.root();
    head.log_root = state.log.root(state.log.size());
    HeadRow row{sign_head(head, secrets.directory.secret, secrets.org), changed, too_many};
    store::Batch batch(heads_partition());
    batch.expect(store::key_u64(head.revision), std::nullopt);
    batch.put(store::key_u64(head.revision), row.encode());
    if (auto ok = store.commit(batch, store::Sync::yes); !ok) return ok;
    state.log.append(row.head.hash());
    state.heads.push_back(std::move(row));
    state.keep_map(clock.now());
    return {};
}

// In memory for all of them before the store may fail: who was shut out is not asked for a second time here.
Result<void> Directory::Impl::mirror_changed(std::span<const DeviceId> devices) {
    if (devices.empty()) return {};
    auto& s = state;
    for (const auto& device : devices) {
        s.mirror_revision = std::max<std::uint64_t>(s.mirror_revision + 1, clock.now());
        s.mirror_changes.emplace_back(s.mirror_revision, device);
    }
    while (s.mirror_changes.size() > kMirrorKept) {
        const auto half = s.mirror_changes.begin() + kMirrorKept / 2;
        s.mirror_start = (half - 1)->first;
        s.mirror_changes.erase(s.mirror_changes.begin(), half);
    }
    store::Batch batch(mirror_partition());
    batch.put("revision", as_bytes(store::key_u64(s.mirror_revision)));
    return store.commit(batch, store::Sync::no);
}

Result<void> Directory::Impl::change_entries(std::vector<Change> changes) {
    const auto next = state.heads.size() + 1;
    const auto oldest = state.maps.empty() ? next : state.maps.begin()->first;
    // A head that could not be stored is made up for by the next: what was before both stays.
    const auto noted = [&](const UserState& user) { return !user.past.empty() && user.past.back().until == next; };
    std::vector<store::Batch> batches;
    std::vector<UserId> users;
    std::vector<DeviceId> devices;
    for (auto& change : changes) {
        // As an agent would judge it: what does not verify is never stored.
        if (auto ok = parse_entry(change.entry.user, change.entry.records(), keys); !ok) return pass(ok);
        if (!noted(*change.user)) change.batch.put(past_key(next), encode_past(change.user->entry));
        change.batch.erase_range(past_key(0), past_key(oldest + 1));
        batches.push_back(std::move(change.batch));
    }
    if (auto ok = store.commit(batches, store::Sync::yes); !ok) return ok;
    for (auto& change : changes) {
        auto& user = *change.user;
        if (!noted(user)) user.past.push_back({next, user.entry});
        std::erase_if(user.past, [&](const Past& p) { return p.until <= oldest; });
        user.entry = std::move(change.entry);
        for (const auto& device : change.devices) {
            state.by_device[device] = user.entry.user;
            // Its seal keys went with the batch, whatever becomes of the head.
            if (user.entry.revoke(device) != nullptr) user.devices[device].seal_batch = 0;
            devices.push_back(device);
        }
        state.place(user);
        users.push_back(user.entry.user);
    }
    if (auto ok = mirror_changed(devices); !ok) return ok;
    return publish(users, users.empty());
}

Result<void> Directory::Impl::change_entry(UserState& user, DirectoryEntry entry, store::Batch batch,
                                           const DeviceId& device) {
    std::vector<Change> one;
    one.push_back({&user, std::move(entry), std::move(batch), {device}});
    return change_entries(std::move(one));
}

void Directory::Impl::tell(bool head, bool mirror, const DeviceId* shut_out) const {
    if (mirror && observers.mirror_moved) observers.mirror_moved();
    if (shut_out != nullptr && observers.shut_out) observers.shut_out(*shut_out);
    if (head && observers.head_moved) observers.head_moved();
}

Result<Directory::Put> Directory::put_person(const PersonFields& fields, const store::Batch* along) {
    const std::lock_guard lock(impl_->mutex);
    auto& s = impl_->state;
    const auto known = s.by_address.find(fields.address.text());
    if (known != s.by_address.end() && same(s.users.at(known->second).person, fields)) return Put::unchanged;

    Person person{{}, fields.address.text(), fields.name, fields.rank, fields.unit, 1, {}};
    if (known == s.by_address.end()) {
        person.user = impl_->random.id<UserId>();
    } else {
        person.user = known->second;
        person.seq = s.users.at(known->second).person.seq + 1;
    }
    v1::Person message;
    message.set_user(std::string(as_text(person.user.view())));
    message.set_name(person.name);
    message.set_rank(person.rank);
    message.set_unit(person.unit);
    message.set_address(person.address);
    message.set_seq(person.seq);
    person.record = sign_person(impl_->secrets.ea.secret, impl_->secrets.org, as_bytes(message.SerializeAsString()));

    std::vector<store::Batch> batches;
    if (along != nullptr) batches.push_back(*along);
    batches.emplace_back(user_partition(person.user)).put(std::string(kPersonKey), person.record);
    if (auto ok = impl_->store.commit(batches, store::Sync::yes); !ok) return pass(ok);
    const bool added = known == s.by_address.end();
    auto& user = s.users[person.user];
    user.entry.user = person.user;
    s.by_address[person.address] = person.user;
    user.person = std::move(person);
    return added ? Put::added : Put::changed;
}

Result<DeviceCert> Directory::draft(const UserId& id, const PublicKey& identity, DeviceRole role, Admission admission,
                                    std::uint16_t platform, Millis not_before) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.users.find(id);
    if (at == impl_->state.users.end()) return fail(Errc::not_found);
    const auto& user = at->second;
    const auto address = ServiceAddress::parse(user.person.address);
    if (!address) return fail(Errc::storage, "a stored address");
    DeviceCert out;
    out.role = role;
    out.admission = admission;
    out.user = id;
    out.device = device_id(id, identity);
    if (user.entry.cert(out.device) != nullptr) return fail(Errc::exists, "this key is a device already");
    out.identity = identity;
    out.seq = user.entry.next_seq();
    out.platform = platform;
    out.not_before = not_before;
    out.not_after = not_before + kCertificateLife;
    out.attest_hash = address->hash(impl_->secrets.address_secret.view());
    return out;
}

std::pair<DeviceId, Signature> Directory::approve(const DeviceCert& cert) const {
    const auto& admin = impl_->secrets.administrator;
    return {key_actor(admin.public_key), sign_cert_voucher_admin(admin.secret, impl_->secrets.org, cert.body())};
}

Result<DeviceCert> Directory::certify(DeviceCert cert) {
    {
        const std::lock_guard lock(impl_->mutex);
        auto& s = impl_->state;
        const auto at = s.users.find(cert.user);
        if (at == s.users.end()) return fail(Errc::not_found);
        auto& user = at->second;
        if (const auto* there = user.entry.cert(cert.device); there != nullptr && there->body() == cert.body())
            return *there;  // a repeat
        if (cert.seq != user.entry.next_seq()) return fail(Errc::storage_conflict, "the entry moved on");
        if (user.closed) return fail(Errc::forbidden, "this person is shut out");
        if (user.entry.active_devices(impl_->clock.now()).size() >= kMaxActiveDevices) return fail(Errc::device_limit);
        if (user.entry.certs.size() + user.entry.revokes.size() >= kMaxRecords) return fail(Errc::device_limit);
        cert.ea_key = key_id(impl_->secrets.ea.public_key);
        cert.ea_signature = sign_cert_ea(impl_->secrets.ea.secret, impl_->secrets.org, cert.body());
        auto entry = user.entry;
        insert_by_device(entry.certs, cert);
        DeviceState device{s.next_dev_no, false, 0};
        store::Batch batch(user_partition(cert.user));
        batch.put(cert_key(cert.device), cert.encode()).put(device_key(cert.device), encode_device(device));
        user.devices[cert.device] = device;
        if (auto ok = impl_->change_entry(user, std::move(entry), batch, cert.device); !ok) {
            if (user.entry.cert(cert.device) == nullptr) user.devices.erase(cert.device);
            return pass(ok);
        }
        ++s.next_dev_no;
    }
    impl_->tell(true, true, nullptr);
    return cert;
}

}  // namespace nimes::gateway::directory
