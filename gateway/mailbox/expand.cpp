#include "mailbox/expand.hpp"

#include <algorithm>

namespace nimes::gateway::mailbox {
namespace {

// The users of the conversation, once it is sure that this user may post there.
Result<std::vector<UserId>> users_of(const Submit& s, const UserId& user, Conversations& conversations) {
    if (!s.pair.empty()) {
        if (std::find(s.pair.begin(), s.pair.end(), user) == s.pair.end()) return fail(Errc::not_a_member);
        auto users = s.pair;
        std::sort(users.begin(), users.end());
        users.erase(std::unique(users.begin(), users.end()), users.end());
        return users;
    }
    auto group = conversations.find(s.conversation);
    if (!group) return pass(group);
    const auto* member = group->member(user);
    if (member == nullptr || group->closed) return fail(Errc::not_a_member);
    const bool posts = s.kind == Payload::grant || s.kind == Payload::message || s.kind == Payload::signal;
    if (posts && member->role == MemberRole::reader) return fail(Errc::not_a_member, "readers do not post");
    std::vector<UserId> users;
    for (const auto& m : group->roster) users.push_back(m.user);
    return users;
}

// A member of a group whom the directory does not know (it may have been put back to an older state) does not stop what
// is for the others.
Result<std::vector<Target>> targets_of(const std::vector<UserId>& users, bool group, const DeviceId& sender,
                                       const People& people) {
    std::vector<Target> out;
    for (const auto& user : users) {
        auto devices = people.devices_of(user);
        if (!devices && group && devices.error().code == Errc::recipient_unknown) continue;
        if (!devices) return devices;
        for (const auto& d : *devices)
            if (d.device != sender) out.push_back(d);
    }
    return out;
}

Expansion wrapped(const GrantUpload& grant, const std::vector<Target>& targets) {
    std::unordered_map<std::uint32_t, DeviceId> by_number;
    for (const auto& t : targets) by_number.emplace(t.dev_no, t.device);
    Expansion out;
    for (const auto& wrap : grant.wraps) {
        const auto at = by_number.find(wrap.dev_no);
        if (at == by_number.end()) continue;  // gone since, or never of this conversation
        Writer bytes;
        bytes.u32(wrap.dev_no).u32(wrap.key_id).bytes(wrap.sealed);
        out.recipients.push_back({at->second, std::move(bytes).take()});
        by_number.erase(at);  // one wrap a device
    }
    return out;
}

}  // namespace

Result<Expansion> expand(const Submit& s, const DeviceId& sender, const UserId& user, const People& people,
                         Conversations& conversations) {
    auto users = users_of(s, user, conversations);
    if (!users) return pass(users);
    auto targets = targets_of(*users, s.pair.empty(), sender, people);
    if (!targets) return pass(targets);
    if (!s.device.is_zero()) {
        std::erase_if(*targets, [&](const Target& t) { return t.device != s.device; });
        if (targets->empty()) return fail(Errc::recipient_unknown, "no active device of the conversation");
    }
    if (s.kind == Payload::grant) {
        const auto grant = GrantUpload::parse(s.payload);
        return grant ? wrapped(*grant, *targets) : Expansion{};
    }
    Expansion out;
    for (const auto& t : *targets) out.recipients.push_back({t.device, {}});
    if (s.kind == Payload::message && s.device.is_zero()) {
        const auto chain = WireMessage::parse(s.payload)->header.chain;
        const auto granted = conversations.granted(s.conversation, sender, chain);
        for (const auto& t : *targets)
            if (!granted.contains(t.device)) out.missing.push_back(t);
    }
    return out;
}

Result<Expansion> expand_event(const std::vector<UserId>& affected, const DeviceId& sender, const People& people) {
    Expansion out;
    for (const auto& user : affected) {
        auto devices = people.devices_of(user);
        if (!devices) return pass(devices);
        for (const auto& d : *devices)
            if (d.device != sender) out.recipients.push_back({d.device, {}});
    }
    return out;
}

}  // namespace nimes::gateway::mailbox
