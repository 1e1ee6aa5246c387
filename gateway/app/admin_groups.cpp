#include "app/admin_groups.hpp"

#include <algorithm>

#include "nimes/appointment.hpp"

namespace nimes::gateway::app {
namespace {

constexpr std::size_t kAtOnce = 1'000;

const char* name(MemberRole role) {
    if (role == MemberRole::administrator) return "administrator";
    return role == MemberRole::poster ? "poster" : "reader";
}

}  // namespace

Result<mailbox::Group> AdminGroups::find(const ConversationId& id) const {
    // A reader of its own: the mailroom's memory belongs to the mailroom's thread.
    return mailbox::Conversations(store_).find(id);
}

bool AdminGroups::has_device(const UserId& user) const {
    const auto devices = directory_.devices(user);
    return std::any_of(devices.begin(), devices.end(), [now = clock_.now()](const directory::DeviceFacts& d) {
        return stands(d.cert, d.revoke ? &*d.revoke : nullptr, now);
    });
}

bool AdminGroups::orphaned(const mailbox::Group& group) const {
    return !group.closed && std::none_of(group.roster.begin(), group.roster.end(), [this](const Member& m) {
        return m.role == MemberRole::administrator && has_device(m.user);
    });
}

admin::GroupLine AdminGroups::line(const ConversationId& id, const mailbox::Group& group) const {
    admin::GroupLine out{id, group.epoch, group.closed, orphaned(group), {}};
    for (const auto& m : group.roster) {
        const auto person = directory_.person(m.user);
        out.members.push_back({person ? person->address : std::string{}, person ? person->name : std::string{},
                               name(m.role), has_device(m.user)});
    }
    return out;
}

Result<admin::GroupLine> AdminGroups::group(const ConversationId& id) {
    const auto held = find(id);
    if (!held) return fail(held.error().code, held.error().detail);
    return line(id, *held);
}

Result<std::vector<admin::GroupLine>> AdminGroups::orphaned() {
    std::vector<admin::GroupLine> out;
    for (std::string from;;) {
        const auto names = store_.partitions(store::Family::conversation, from, kAtOnce);
        if (!names) return fail(names.error().code, names.error().detail);
        for (const auto& name : *names) {
            if (name.size() != ConversationId::size) continue;
            const auto id = ConversationId::from(as_bytes(name));
            const auto group = find(id);
            if (!group && group.error().code == Errc::conversation_unknown) continue;  // of two people
            if (!group) return fail(group.error().code, group.error().detail);
            if (orphaned(*group)) out.push_back(line(id, *group));
        }
        if (names->size() < kAtOnce) return out;
        from = names->back() + '\0';
    }
}

Result<void> AdminGroups::appoint(const ConversationId& id, const ServiceAddress& address) {
    const auto group = find(id);
    if (!group) return fail(group.error().code, group.error().detail);
    if (group->closed) return fail(Errc::forbidden, "the group is closed");
    if (!orphaned(*group))
        return fail(Errc::forbidden,
                    "an administrator of this group has a device: they appoint others themselves; revoke a device "
                    "that is lost or handed in first");
    const auto person = directory_.person(address);
    if (!person) return fail(Errc::not_found, "nobody of that address");
    if (!has_device(person->user)) return fail(Errc::not_found, "that member has no device");
    const auto& secrets = directory_.secrets();
    const auto event =
        make_appointment(secrets.administrator, secrets.org, {id, group->epoch, group->state, group->roster},
                         person->user, directory_.newest_head(), clock_.now());
    if (!event) return fail(event.error().code, event.error().detail);
    return mailroom_.appoint(*event);
}

}  // namespace nimes::gateway::app
