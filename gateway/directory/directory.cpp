#include "directory/directory.hpp"

#include <algorithm>
#include <mutex>

#include "directory/answers.hpp"
#include "directory/impl.hpp"

namespace nimes::gateway::directory {

Directory::Directory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Directory::~Directory() = default;

Result<std::unique_ptr<Directory>> Directory::open(store::Store& store, OrgSecrets secrets, const Clock& clock,
                                                   RandomSource& random) {
    auto impl = std::make_unique<Impl>(store, std::move(secrets), clock, random);
    auto& s = impl->state;
    if (auto ok = s.load(store, impl->secrets); !ok) return pass(ok);
    if (auto ok = impl->one_time.drop_others(s.devices_in()); !ok) return pass(ok);
    s.mirror_revision = std::max<std::uint64_t>(s.mirror_revision + 1, clock.now());
    s.mirror_start = s.mirror_revision;
    s.rebuild_maps(clock.now());
    // No head yet, or a crash came between a change and its head: then nobody knows which entries moved.
    if (s.heads.empty() || s.heads.back().head.map_root != s.map.root())
        if (auto ok = impl->publish({}, !s.heads.empty()); !ok) return pass(ok);
    return std::unique_ptr<Directory>(new Directory(std::move(impl)));
}

void Directory::observe(Observers observers) { impl_->observers = std::move(observers); }
const OrgSecrets& Directory::secrets() const { return impl_->secrets; }

Result<void> Directory::tick() {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->clock.now() < impl_->state.heads.back().head.ts + kHour) return {};
        if (auto ok = impl_->publish({}, false); !ok) return ok;
    }
    if (impl_->observers.head_moved) impl_->observers.head_moved();
    return {};
}

std::optional<Person> Directory::person(const ServiceAddress& address) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.by_address.find(address.text());
    if (at == impl_->state.by_address.end()) return std::nullopt;
    return impl_->state.users.at(at->second).person;
}

std::optional<Person> Directory::person(const UserId& user) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.users.find(user);
    if (at == impl_->state.users.end()) return std::nullopt;
    return at->second.person;
}

namespace {
DeviceFacts facts_of(const UserState& user, const DeviceCert& cert) {
    DeviceFacts facts{cert, {}, false, 0};
    if (const auto* revoke = user.entry.revoke(cert.device)) facts.revoke = *revoke;
    if (const auto at = user.devices.find(cert.device); at != user.devices.end()) {
        facts.suspended = at->second.suspended;
        facts.dev_no = at->second.dev_no;
    }
    return facts;
}
}  // namespace

std::vector<DeviceFacts> Directory::devices(const std::optional<UserId>& of) const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<DeviceFacts> out;
    const auto add = [&](const UserState& user) {
        for (const auto& cert : user.entry.certs) out.push_back(facts_of(user, cert));
    };
    const auto& users = impl_->state.users;
    if (!of)
        for (const auto& [id, user] : users) add(user);
    else if (const auto at = users.find(*of); at != users.end()) add(at->second);
    return out;
}

std::optional<DeviceFacts> Directory::device(const DeviceId& device) const {
    const std::lock_guard lock(impl_->mutex);
    const auto* user = impl_->state.user_of(device);
    if (user == nullptr) return std::nullopt;
    return facts_of(*user, *user->entry.cert(device));
}

std::vector<DeviceFacts> Directory::revoked_devices() const {
    auto out = devices(std::nullopt);
    std::erase_if(out, [](const DeviceFacts& d) { return !d.revoke; });
    return out;
}

Result<UserId> Directory::admit(const DeviceId& device) const {
    const std::lock_guard lock(impl_->mutex);
    const auto* user = impl_->state.user_of(device);
    if (user == nullptr) return fail(Errc::device_unknown);
    if (user->entry.revoke(device) != nullptr) return fail(Errc::device_revoked);
    if (!user->entry.active(device, impl_->clock.now())) return fail(Errc::device_unknown, "outside its dates");
    const auto at = user->devices.find(device);
    if (at != user->devices.end() && at->second.suspended) return fail(Errc::device_suspended);
    return user->entry.user;
}

std::optional<PublicKey> Directory::identity_of(const DeviceId& device) const {
    const std::lock_guard lock(impl_->mutex);
    const auto* user = impl_->state.user_of(device);
    if (user == nullptr) return std::nullopt;
    return user->entry.cert(device)->identity;
}

std::uint32_t Directory::seal_batch(const DeviceId& device) const {
    const std::lock_guard lock(impl_->mutex);
    const auto* user = impl_->state.user_of(device);
    if (user == nullptr) return 0;
    const auto at = user->devices.find(device);
    return at == user->devices.end() ? 0 : at->second.seal_batch;
}

Result<std::vector<Target>> Directory::targets_of(const UserId& id) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->state.users.find(id);
    if (at == impl_->state.users.end()) return fail(Errc::recipient_unknown);
    std::vector<Target> out;
    for (const auto* cert : at->second.entry.active_devices(impl_->clock.now())) {
        const auto device = at->second.devices.find(cert->device);
        if (device != at->second.devices.end() && !device->second.suspended)
            out.push_back({cert->device, id, device->second.dev_no});
    }
    return out;
}

Result<v1::LookupAnswer> Directory::lookup(const v1::LookupRequest& request) const {
    const std::lock_guard lock(impl_->mutex);
    return answer_lookup(impl_->state, impl_->store, request, impl_->clock.now());
}
Result<Dump> Directory::dump(std::uint64_t revision) const {
    const std::lock_guard lock(impl_->mutex);
    const auto& s = impl_->state;
    const auto at = s.maps.find(revision == 0 ? s.heads.size() : revision);
    if (at == s.maps.end()) return fail(Errc::not_found, "this revision's map is not kept any more, or never was");
    return Dump{s.heads[at->first - 1].head, at->second};
}
Result<v1::HeadAnswer> Directory::head(std::uint64_t held) const {
    const std::lock_guard lock(impl_->mutex);
    return answer_head(impl_->state, held);
}
Result<v1::OldHeadAnswer> Directory::old_head(std::uint64_t revision, std::uint64_t under) const {
    const std::lock_guard lock(impl_->mutex);
    return answer_old_head(impl_->state, revision, under);
}
v1::People Directory::find_people(std::string_view name, std::string_view unit) const {
    const std::lock_guard lock(impl_->mutex);
    return answer_people(impl_->state, name, unit);
}
Changes Directory::changes_since(std::uint64_t revision) const {
    const std::lock_guard lock(impl_->mutex);
    return collect_changes(impl_->state, revision);
}
DirectoryHead Directory::newest_head() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->state.heads.back().head;
}

std::uint64_t Directory::mirror_revision() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->state.mirror_revision;
}

std::vector<MirrorItem> Directory::mirror_all() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<MirrorItem> out;
    for (const auto& [id, user] : impl_->state.users)
        for (const auto& cert : user.entry.certs) out.push_back(mirror_item(user, cert));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    return out;
}

std::optional<std::vector<MirrorItem>> Directory::mirror_since(std::uint64_t revision) const {
    const std::lock_guard lock(impl_->mutex);
    const auto& s = impl_->state;
    if (revision < s.mirror_start || revision > s.mirror_revision) return std::nullopt;
    std::map<DeviceId, MirrorItem> items;
    for (auto at = s.mirror_changes.rbegin(); at != s.mirror_changes.rend() && at->first > revision; ++at) {
        const auto* user = s.user_of(at->second);
        if (user != nullptr) items.emplace(at->second, mirror_item(*user, *user->entry.cert(at->second)));
    }
    std::vector<MirrorItem> out;
    for (auto& [device, item] : items) out.push_back(item);
    return out;
}

}  // namespace nimes::gateway::directory
