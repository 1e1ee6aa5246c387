#include <algorithm>

#include "engine/chains.hpp"
#include "engine/records.hpp"
#include "nimes/encoding.hpp"
#include "oracle.hpp"

namespace nimes::model {

using agent::container::Column;
using agent::container::Table;

// The row is the core's count, so that nothing has to be read for it.
std::uint64_t Oracle::newest_alarm(Handset& at) {
    auto tx = at.core().box->begin();
    if (!tx) return 0;  // asked in the middle of a transaction
    const auto rows = must(tx->scan(Table::alarms, 0, 1, agent::container::Order::newest_first), "alarms");
    return rows.empty() ? 0 : rows.front().id;
}

void Oracle::judge_directory(Handset& at) {
    const auto& directory = *at.core().directory;
    const auto& head = directory.head();
    auto& newest = heads_[at.device()];
    if (head.revision < newest) throw Broken("rule 14: the held head fell");
    newest = head.revision;
    if (const auto made = server_.heads.find(head.revision); made == server_.heads.end() || made->second != head.hash())
        throw Broken("rule 14: a head that the directory never published");
    auto& seen = seen_revoked_[at.device()];
    for (const auto& user : users_)
        if (const auto* held = directory.find(user))
            for (const auto& revoke : held->entry.revokes) seen.insert(revoke.device);
    for (const auto& user : users_) {
        const auto* held = directory.find(user);
        if (held == nullptr) continue;
        for (const auto* cert : held->entry.active_devices(at.core().now()))
            if (seen.contains(cert->device)) throw Broken("rule 16: a revoked device is active again");
    }
}

void Oracle::changed(const ConvEvent& event) {
    Roster roster;
    if (event.kind != EventKind::create) {
        const auto before = rosters_.find(event.prev_hash);
        if (before == rosters_.end()) return;
        roster = before->second;
        const bool leaves =
            event.items.size() == 1 && event.items[0].op == RosterOp::remove && event.items[0].user == event.actor_user;
        if (!leaves && std::none_of(roster.begin(), roster.end(), [&](const Member& m) {
                return m.user == event.actor_user && m.role == MemberRole::administrator;
            }))
            return;
    }
    for (const auto& item : event.items) {
        std::erase_if(roster, [&](const Member& m) { return m.user == item.user; });
        if (item.op != RosterOp::remove) roster.push_back({item.user, item.role});
    }
    std::sort(roster.begin(), roster.end());
    rosters_[event.state()] = std::move(roster);
}

void Oracle::judge_rosters(const agent::conversation::ConversationState& group) {
    for (const auto* branch : {&group.epochs, &group.other})
        for (const auto& [epoch, is] : *branch) {
            const auto made = rosters_.find(is.state);
            if (made == rosters_.end()) throw Broken("rule 12: a roster that no administrator made");
            if (made->second != is.roster) throw Broken("rule 12: another roster than its events come to");
        }
}

void Oracle::audit(Handset& at) {
    auto& core = at.core();
    for (const auto& place : places_) {
        const auto found = core.conversations.find(place);
        if (found == core.conversations.end()) continue;
        if (!found->second.is_pair()) judge_rosters(found->second);
        for (const auto& user : users_)
            if (const auto* held = core.directory->find(user))
                for (const auto& cert : held->entry.certs) judge_chains(at, place, cert.device);
    }
    for (const auto& user : users_) {
        const auto* held = core.directory->find(user);
        if (held == nullptr) continue;
        const auto made = server_.directory().devices(user);
        for (const auto& cert : held->entry.certs)
            if (std::none_of(made.begin(), made.end(), [&](const auto& d) { return d.cert == cert; }))
                throw Broken("rule 15: a device is held that the directory does not show");
    }
}

void Oracle::judge_chains(Handset& at, const ConversationId& place, const DeviceId& of) {
    auto tx = must(at.core().box->begin(), "transaction");
    for (const bool resend : {false, true})
        for (const auto& row : must(tx.find(Table::recv_chains, Column{agent::engine::kColumnOwner,
                                                                       agent::engine::owner_of(of, place, resend)}),
                                    "chains")) {
            const auto chain = must(agent::sealing::ReceivingChain::parse(row.value), "chain");
            const auto made = server_.chains.find(chain.id);
            if (made == server_.chains.end() || made->second != chain.device)
                throw Broken("rule 11: a chain that its device never made");
            auto& index = indexes_[{at.device(), chain.id}];
            if (chain.index < index) throw Broken("rule 10: the position in a chain fell");
            index = chain.index;
        }
}

const gateway::directory::DeviceFacts* Oracle::device_of(std::uint32_t dev_no) {
    if (!numbers_.contains(dev_no))
        for (const auto& d : server_.directory().devices(std::nullopt)) numbers_[d.dev_no] = d;
    const auto at = numbers_.find(dev_no);
    return at == numbers_.end() ? nullptr : &at->second;
}

// What waits in the outbox was sealed since the last look, under a roster that may have gone when it is sent.
void Oracle::note_sealed(Handset& at) {
    auto tx = at.core().box->begin();
    if (!tx) return;
    const auto rows = tx->scan(agent::container::Table::outbox);
    if (!rows) return;
    for (const auto& row : *rows) {
        const auto item = agent::engine::OutboxItem::parse(row.value);
        v1::Up up;
        if (!item || !up.ParseFromArray(item->up.data(), static_cast<int>(item->up.size()))) continue;
        const auto grant = GrantUpload::parse(as_bytes(up.submit().grant()));
        if (grant) sealed_.try_emplace(grant->header.dk_commit, epochs_[at.device()][grant->header.conversation]);
    }
}

void Oracle::before(Handset& at) {
    note_sealed(at);
    auto& epochs = epochs_[at.device()];
    for (const auto& [id, state] : at.core().conversations) epochs[id] = state.epoch;
}

std::uint64_t Oracle::sealed_since(Handset& at, const GrantUpload& grant, std::uint64_t now) const {
    auto out = now;
    if (const auto device = epochs_.find(at.device()); device != epochs_.end())
        if (const auto step = device->second.find(grant.header.conversation); step != device->second.end())
            out = std::min(out, step->second);
    if (const auto waited = sealed_.find(grant.header.dk_commit); waited != sealed_.end())
        out = std::min(out, waited->second);
    return out;
}

void Oracle::granted(Handset& sender, const GrantUpload& grant) {
    auto& core = sender.core();
    // What waited in the outbox was sealed before, under the head of that time, and to who was active then.
    const bool waited = sealed_.contains(grant.header.dk_commit);
    if (!waited && !core.directory->head_fresh(core.now()))
        throw Broken("rule 2: a grant under a head of more than a day");
    const auto at = core.conversations.find(grant.header.conversation);
    if (at == core.conversations.end()) throw Broken("rule 2: a grant for a conversation that nobody knows");
    // In the roster agreed upon, or in one that it had applied since the grant was sealed at the earliest.
    const auto& state = at->second;
    const auto since = sealed_since(sender, grant, state.epoch);
    const auto has = [](const Roster& roster, const UserId& user) {
        return std::any_of(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
    };
    const auto is_member = [&](const UserId& user) {
        return has(state.agreed(), user) ||
               std::any_of(state.epochs.lower_bound(since), state.epochs.end(),
                           [&](const auto& epoch) { return has(epoch.second.roster, user); });
    };
    for (const auto& wrap : grant.wraps) {
        std::string wrong = "for no device";
        const auto meant = meant_by(core, wrap.dev_no);
        const bool right = std::ranges::any_of(meant, [&](const auto& to) {
            wrong =
                is_member(to.first) ? judge_wrap(sender, to, wrap.key_id, waited) : "for somebody outside the roster";
            return wrong.empty();
        });
        if (!right) throw Broken("rule 2: a wrap by " + to_text(sender.device()) + " " + wrong);
    }
}

// The gateway's number of a device is nobody's proof: what the sender was told is what it meant (FORMATS.md 2.6).
std::vector<std::pair<UserId, DeviceId>> Oracle::meant_by(const agent::engine::Core& core, std::uint32_t dev_no) {
    std::vector<std::pair<UserId, DeviceId>> out;
    for (const auto& user : users_)
        if (const auto* held = core.directory->find(user))
            for (const auto& [device, is] : held->devices)
                if (is.dev_no == dev_no) out.emplace_back(user, device);
    const auto* truly = device_of(dev_no);
    if (out.empty() && truly != nullptr) out.emplace_back(truly->cert.user, truly->cert.device);
    return out;
}

// Empty: as it must be.
std::string Oracle::judge_wrap(Handset& sender, const std::pair<UserId, DeviceId>& to, std::uint32_t key_id,
                               bool waited) {
    const auto& [user, device] = to;
    auto& core = sender.core();
    const auto* held = core.directory->find(user);
    const bool late = held != nullptr && waited && held->entry.revoke(device) != nullptr;
    if (held == nullptr || (!late && !held->entry.active(device, core.now())))
        return "for a device that is not active in a proven entry: " + to_text(device);
    const auto batch = server_.batches.find({device, key_id});
    if (batch == server_.batches.end()) return "for a key that its device never published: " + to_text(device);
    auto& newest = newest_batch_[{sender.device(), device}];
    if (batch->second < newest && !waited) return "(2.4) for a key of a batch older than one used before";
    newest = std::max(newest, batch->second);
    return {};
}

}  // namespace nimes::model
