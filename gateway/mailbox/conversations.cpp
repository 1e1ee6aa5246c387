#include "mailbox/conversations.hpp"

#include <algorithm>

#include "nimes/appointment.hpp"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::string_view kGroupKey = "r";
constexpr std::size_t kCacheLimit = 10'000;

std::string chain_key(const DeviceId& sender) { return "c" + std::string(as_text(sender.view())); }
std::string pair_key(const ConversationId& id, const DeviceId& sender) {
    return std::string(as_text(id.view())) + std::string(as_text(sender.view()));
}

bool before(const Member& m, const UserId& user) { return m.user < user; }

Result<void> apply_item(Roster& roster, const RosterItem& item) {
    const auto at = std::lower_bound(roster.begin(), roster.end(), item.user, before);
    const bool there = at != roster.end() && at->user == item.user;
    switch (item.op) {
        case RosterOp::add:
            if (there) return fail(Errc::malformed, "adds a member who is there");
            roster.insert(at, {item.user, item.role});
            return {};
        case RosterOp::remove:
            if (!there || at->role != item.role)
                return fail(Errc::malformed, "removes somebody who is not there in that role");
            roster.erase(at);
            return {};
        case RosterOp::set_role:
            if (!there || at->role == item.role) return fail(Errc::malformed, "sets a role that fits nobody");
            at->role = item.role;
            return {};
    }
    return fail(Errc::malformed);
}

bool has_administrator(const Roster& roster) {
    return std::any_of(roster.begin(), roster.end(),
                       [](const Member& m) { return m.role == MemberRole::administrator; });
}

bool is_leaving(const ConvEvent& event, const UserId& sender) {
    return event.kind == EventKind::change && event.items.size() == 1 && event.items[0].op == RosterOp::remove &&
           event.items[0].user == sender;
}

// Whether the group has lost its administrators is known by who makes an appointment, and judged by the members.
Result<void> check_actor(const Group& group, const ConvEvent& event, const UserId& sender) {
    if (event.by_organisation()) {
        if (!appoints_member(event, group.roster)) return fail(Errc::not_a_member, "only a member is appointed");
        return {};
    }
    const auto* actor = group.member(sender);
    if (actor == nullptr) return fail(Errc::not_a_member);
    if (actor->role != MemberRole::administrator && !is_leaving(event, sender)) return fail(Errc::not_a_member);
    return {};
}

Result<Roster> roster_after(const Group* group, const ConvEvent& event) {
    if (event.kind == EventKind::close) return group->roster;
    Roster roster;
    if (event.kind == EventKind::change) roster = group->roster;
    for (const auto& item : event.items)
        if (auto ok = apply_item(roster, item); !ok) return pass(ok);
    if (event.kind == EventKind::restate && roster != group->roster)
        return fail(Errc::malformed, "a restate changes nothing");
    return roster;
}

// Everyone of the roster before and after the event: those after it, and those whom it names.
void add_users(const Roster& after, const ConvEvent& event, std::vector<UserId>& out) {
    for (const auto& m : after) out.push_back(m.user);
    for (const auto& item : event.items) out.push_back(item.user);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace

const Member* Group::member(const UserId& user) const {
    const auto at = std::lower_bound(roster.begin(), roster.end(), user, before);
    return at != roster.end() && at->user == user ? &*at : nullptr;
}

Bytes Group::encode() const {
    Writer out;
    out.u64(epoch).id(state).u8(closed ? 1 : 0).u32(static_cast<std::uint32_t>(roster.size()));
    for (const auto& m : roster) out.id(m.user).u8(static_cast<std::uint8_t>(m.role));
    return std::move(out).take();
}

Result<Group> Group::parse(ByteView bytes) {
    Reader in(bytes);
    Group out;
    out.epoch = in.u64();
    out.state = in.id<Digest>();
    out.closed = in.u8() != 0;
    const auto n = in.u32();
    if (in.left() != n * (UserId::size + 1)) return fail(Errc::storage, "a stored roster is damaged");
    for (std::uint32_t i = 0; i < n; ++i) {
        Member m;
        m.user = in.id<UserId>();
        m.role = static_cast<MemberRole>(in.u8());
        out.roster.push_back(m);
    }
    return out;
}

Result<Group> apply_event(const Group* group, const ConvEvent& event, const UserId& sender) {
    if (event.actor_user != sender) return fail(Errc::malformed, "the actor is another user");
    if (event.kind == EventKind::create) {
        if (group != nullptr) return fail(Errc::epoch_conflict, "the conversation is there already");
        if (event.id_of_create() != event.conversation) return fail(Errc::malformed, "not the id of this creation");
    } else {
        if (group == nullptr) return fail(Errc::conversation_unknown);
        if (group->closed || event.epoch != group->epoch + 1 || event.prev_hash != group->state)
            return fail(Errc::epoch_conflict);
        if (auto ok = check_actor(*group, event, sender); !ok) return pass(ok);
    }
    auto roster = roster_after(group, event);
    if (!roster) return pass(roster);
    if (roster->size() > ConvEvent::kMaxItems) return fail(Errc::too_large, "the roster");
    if (roster_root(*roster) != event.roster_root) return fail(Errc::malformed, "the roster's root is another");
    if (event.kind != EventKind::close && !has_administrator(*roster))
        return fail(Errc::malformed, "the last administrator cannot go");
    if (event.kind == EventKind::create) {
        const auto own = std::lower_bound(roster->begin(), roster->end(), sender, before);
        if (own == roster->end() || own->user != sender || own->role != MemberRole::administrator)
            return fail(Errc::malformed, "the creator is its administrator");
    }
    return Group{event.epoch, event.state(), event.kind == EventKind::close, std::move(*roster)};
}

std::string Conversations::event_key(std::uint64_t epoch) { return "e" + store::key_u64(epoch); }

store::Partition Conversations::partition(const ConversationId& id) {
    return {store::Family::conversation, std::string(as_text(id.view()))};
}

Result<Group> Conversations::find(const ConversationId& id) {
    if (const auto at = cache_.find(id); at != cache_.end()) return at->second;
    auto stored = store_.get(partition(id), kGroupKey);
    if (!stored) return pass(stored);
    if (!*stored) return fail(Errc::conversation_unknown);
    auto group = Group::parse(**stored);
    if (!group) return group;
    if (cache_.size() >= kCacheLimit) cache_.clear();
    cache_[id] = *group;
    return group;
}

Result<Conversations::Planned> Conversations::plan(const ConvEvent& event, ByteView bytes, const UserId& sender) {
    const auto held = find(event.conversation);
    if (!held && held.error().code != Errc::conversation_unknown) return fail(held.error().code, held.error().detail);
    Planned out{store::Batch(partition(event.conversation)), {}, {}};
    if (held && held->epoch == event.epoch && held->state == event.state()) {
        // A crash came between this event and its delivery: the sender repeats it, and it goes out now.
        add_users(held->roster, event, out.affected);
        return out;
    }
    auto next = apply_event(held ? &*held : nullptr, event, sender);
    if (!next) return pass(next);

    out.batch.expect(std::string(kGroupKey), held ? std::optional(held->encode()) : std::nullopt);
    out.batch.put(event_key(event.epoch), bytes).put(std::string(kGroupKey), next->encode());
    add_users(next->roster, event, out.affected);
    out.next = std::move(*next);
    return out;
}

void Conversations::took(const ConversationId& id, Planned& planned) {
    if (planned.next) cache_[id] = std::move(*planned.next);
}

Conversations::Chain& Conversations::newest_chain(const ConversationId& id, const DeviceId& sender) {
    const auto key = pair_key(id, sender);
    if (const auto at = chains_.find(key); at != chains_.end()) return at->second;
    if (chains_.size() >= kCacheLimit) chains_.clear();
    auto& chain = chains_[key];
    if (const auto stored = store_.get(partition(id), chain_key(sender)); stored && *stored) {
        Reader in(**stored);
        chain.chain = in.id<ChainId>();
        while (in.left() >= DeviceId::size) chain.devices.insert(in.id<DeviceId>());
    }
    return chain;
}

void Conversations::plan_grant(const ConversationId& id, const DeviceId& sender, const ChainId& chain_id,
                               const std::vector<DeviceId>& devices, store::Batch& into) {
    auto& chain = newest_chain(id, sender);
    if (chain.chain != chain_id) chain = {chain_id, {}};
    chain.devices.insert(devices.begin(), devices.end());
    Writer out;
    out.id(chain.chain);
    for (const auto& d : chain.devices) out.id(d);
    into.put(chain_key(sender), out.view());
}

std::unordered_set<DeviceId> Conversations::granted(const ConversationId& id, const DeviceId& sender,
                                                    const ChainId& chain_id) {
    const auto& chain = newest_chain(id, sender);
    return chain.chain == chain_id ? chain.devices : std::unordered_set<DeviceId>{};
}

Result<std::vector<Conversations::Granted>> Conversations::newest_chains(store::Store& store,
                                                                         const ConversationId& id) {
    auto rows = store.scan(partition(id), "c", "d", kCacheLimit);
    if (!rows) return pass(rows);
    std::vector<Granted> out;
    for (const auto& row : *rows) {
        Reader in(row.value);
        Granted granted{DeviceId::from(as_bytes(row.key).subspan(1)), in.id<ChainId>(), {}};
        while (in.left() >= DeviceId::size) granted.devices.push_back(in.id<DeviceId>());
        out.push_back(std::move(granted));
    }
    return out;
}

void Conversations::forget() {
    cache_.clear();
    chains_.clear();
}

}  // namespace nimes::gateway::mailbox
