// Of step 1, compose: who gets the chain, whether a new one is due, and the grant.
#include <algorithm>

#include "engine/chains.hpp"
#include "engine/compose.hpp"
#include "engine/owed.hpp"
#include "engine/packets.hpp"

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
    return !was_there_first && core_.now() < at->second.first_seen + core_.provisioning->policy.device_hold;
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
    const auto stamp = core_.stamp();
    if (*held) {
        const auto since = since_opened(core_, state, **held);
        if (sealing::must_rotate(**held, since, state.is_pair(), stamp).empty()) return std::move(**held);
    }
    if (!core_.directory->head_fresh(core_.now()))
        return fail(Errc::head_stale, "a new chain needs a directory head of today");
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
    return sealing::open_chain(start, stamp, core_.random);
}

sealing::GrantBinding Compose::binding(const ConversationState& state) const {
    const auto& head = core_.directory->head();
    return {core_.own().user, core_.own().device, state.epoch, state.now().state, head.revision, head.hash()};
}

// A one-time key where one is here, else the day key; recipients() left out who has none. It counts as used from now
// on, whatever becomes of the grant.
sealing::GrantRecipient Compose::recipient(const DeviceCert& cert, bool once) {
    const auto* entry = core_.directory->find(cert.user);
    const auto& device = entry->devices.at(cert.device);
    if (once)
        if (const auto key = core_.one_time.take(cert.device, device.batch_floor, core_.now()))
            return {device.dev_no, key->key_id, key->key};
    const auto* key = entry->seal_key(cert.device, core_.now());
    return {device.dev_no, key->key_id, key->key};
}

Result<std::vector<const DeviceCert*>> Compose::one_time_wanted(const ConversationId& id) const {
    const auto state = open_conversation(id);
    if (!state) return fail(state.error().code);
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    auto chain = find_sending(*tx, id);
    if (!chain) return pass(chain);
    const auto now = core_.now();
    const bool goes_on = *chain && sealing::must_rotate(**chain, since_opened(core_, **state, **chain),
                                                        (*state)->is_pair(), core_.stamp())
                                       .empty();
    std::vector<const DeviceCert*> out;
    std::size_t reached = 0;
    for (const auto* cert : recipients(**state).active) {
        if (goes_on && (*chain)->granted.contains(cert->device)) continue;
        ++reached;
        const auto floor = core_.directory->find(cert->user)->devices.at(cert->device).batch_floor;
        if (!core_.one_time.holds(cert->device, floor, now)) out.push_back(cert);
    }
    if (reached > sealing::kOneTimeAtMost) out.clear();
    return out;
}

Result<void> Compose::grant(Transaction& tx, const ConversationState& state, SendingChain& chain,
                            const Recipients& to) {
    std::vector<const DeviceCert*> reached;
    for (const auto* cert : to.active) {
        if (chain.granted.contains(cert->device)) continue;
        reached.push_back(cert);
    }
    if (reached.empty()) return {};
    if (!core_.directory->head_fresh(core_.now()))
        return fail(Errc::head_stale, "a grant needs a directory head of today");
    const bool once = reached.size() <= sealing::kOneTimeAtMost;
    std::vector<sealing::GrantRecipient> recipients;
    for (const auto* cert : reached) recipients.push_back(recipient(*cert, once));
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    auto uploads = sealing::seal_grant(chain, binding(state), identity->secret, recipients, core_.random);
    if (!uploads) return pass(uploads);
    for (auto& upload : *uploads) {
        OutboxItem item{core_.random.id<MessageId>(), state.id, false, {}, {}};
        item.up = submit_packet(item.id, state, Submission::grant, upload, {});
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
    }
    for (const auto* cert : reached) chain.granted.insert(cert->device);
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
