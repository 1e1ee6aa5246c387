// Of step 1, compose: who gets the chain, whether a new one is due, and the grant.
#include <algorithm>

#include "engine/chains.hpp"
#include "engine/compose.hpp"
#include "engine/packets.hpp"
#include "sealing/rotation.hpp"

namespace nimes::agent::engine {
namespace {

using container::Transaction;
using conversation::ConversationState;
using sealing::SendingChain;

}  // namespace

// A device that joined an entry we knew is shown to its owner first (FORMATS.md 2.3).
bool Compose::on_hold(const directory::HeldEntry& entry, const DeviceCert& cert) const {
    if (cert.admission == Admission::first) return false;
    const auto at = entry.devices.find(cert.device);
    if (at == entry.devices.end()) return true;
    const bool was_there_first = at->second.first_seen <= entry.known_since;
    return !was_there_first && core_.now() < at->second.first_seen + core_.provisioning->device_hold;
}

Compose::Recipients Compose::recipients(const ConversationState& state) const {
    Recipients out;
    const auto now = core_.now();
    for (const auto& member : state.agreed()) {
        const auto* entry = core_.directory->find(member.user);
        if (entry == nullptr) continue;
        for (const auto* cert : entry->entry.active_devices(now)) {
            if (cert->device == core_.own().device || on_hold(*entry, *cert)) continue;
            if (entry->seal_key(cert->device, now) != nullptr) out.active.push_back(cert);
            else out.stale.push_back(cert->device);
        }
    }
    return out;
}

Result<SendingChain> Compose::ready_chain(Transaction& tx, const ConversationState& state, const Recipients& to) {
    auto held = find_sending(tx, state.id);
    if (!held) return pass(held);
    const auto now = core_.now();
    if (*held) {
        std::set<DeviceId> active;
        for (const auto& m : state.now().roster)
            if (const auto* entry = core_.directory->find(m.user); entry != nullptr)
                for (const auto* cert : entry->entry.active_devices(now)) active.insert(cert->device);
        sealing::SinceOpened since;
        since.user_removed = !state.is_pair() && state.more_than_additions_since((*held)->conv_epoch);
        since.granted_device_gone =
            !std::includes(active.begin(), active.end(), (*held)->granted.begin(), (*held)->granted.end());
        since.forked = state.forked;
        if (const auto peer = core_.peer_chain_opened.find(state.id); peer != core_.peer_chain_opened.end())
            since.peer_chain_opened = peer->second;
        if (sealing::must_rotate(**held, since, state.is_pair(), now).empty()) return std::move(**held);
    }
    if (!core_.directory->head_fresh(now)) return fail(Errc::head_stale, "a new chain needs a directory head of today");
    sealing::ChainStart start;
    start.conversation = state.id;
    start.device = core_.own().device;
    start.conv_epoch = state.epoch;
    start.devices = to.active.size() + 1;
    if (*held) {
        start.last_chain_no = (*held)->chain_no;
        start.prev_digest = (*held)->last_message;
        start.prev_count = (*held)->index;
    }
    return sealing::open_chain(start, now, core_.random);
}

sealing::GrantBinding Compose::binding(const ConversationState& state) const {
    const auto& head = core_.directory->head();
    return {core_.own().user, core_.own().device, state.epoch, state.now().state, head.revision, head.hash()};
}

Result<void> Compose::grant(Transaction& tx, const ConversationState& state, SendingChain& chain,
                            const Recipients& to) {
    std::vector<sealing::GrantRecipient> missing;
    std::vector<DeviceId> reached;
    for (const auto* cert : to.active) {
        if (chain.granted.contains(cert->device)) continue;
        const auto* entry = core_.directory->find(cert->user);
        const auto* key = entry->seal_key(cert->device, core_.now());
        missing.push_back({entry->devices.at(cert->device).dev_no, key->key_id, key->key});
        reached.push_back(cert->device);
    }
    if (missing.empty()) return {};
    if (!core_.directory->head_fresh(core_.now()))
        return fail(Errc::head_stale, "a grant needs a directory head of today");
    auto uploads = sealing::seal_grant(chain, binding(state), core_.identity.secret, missing, core_.random);
    if (!uploads) return pass(uploads);
    for (auto& upload : *uploads) {
        OutboxItem item{core_.random.id<MessageId>(), state.id, false, {}, {}};
        item.up = submit_packet(item.id, state, Submission::grant, upload, {});
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
    }
    chain.granted.insert(reached.begin(), reached.end());
    return {};
}

Result<void> Compose::grant_missing(const ConversationId& id) {
    const auto state = open_conversation(id);
    if (!state) return fail(state.error().code);
    const auto to = recipients(**state);
    return core_.transact([&](Transaction& tx) -> Result<void> {
        auto chain = find_sending(tx, id);
        if (!chain) return pass(chain);
        if (!*chain || core_.now() >= (*chain)->expires) return {};
        if (auto ok = grant(tx, **state, **chain, to); !ok) return ok;
        return put_sending(tx, **chain);
    });
}

}  // namespace nimes::agent::engine
