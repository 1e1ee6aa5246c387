#include "engine/compose.hpp"

#include <algorithm>

#include "engine/packets.hpp"
#include "sealing/message_sealer.hpp"
#include "sealing/rotation.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::ConversationState;
using sealing::SendingChain;

Bytes key_of(const ConversationId& id) { return to_bytes(id.view()); }

Result<std::optional<SendingChain>> held_chain(Transaction& tx, const ConversationId& id) {
    auto row = tx.get(Table::send_chains, key_of(id));
    if (!row) return pass(row);
    if (!*row) return std::optional<SendingChain>{};
    auto chain = SendingChain::parse((*row)->value);
    if (!chain) return pass(chain);
    return std::optional(std::move(*chain));
}

Result<ByteArray<16>> previous_own(Transaction& tx, const ConversationId& id) {
    auto row = tx.get(Table::settings, own_digest_key(id));
    if (!row) return pass(row);
    ByteArray<16> out{};
    if (*row && (*row)->value.size() >= out.size()) std::copy_n((*row)->value.begin(), out.size(), out.begin());
    return out;
}

}  // namespace

Result<const ConversationState*> Compose::open_conversation(const ConversationId& id) const {
    const auto at = core_.conversations.find(id);
    if (at == core_.conversations.end()) return fail(Errc::conversation_unknown);
    const auto* member = at->second.member(core_.own().user);
    if (member == nullptr || member->role == MemberRole::reader || at->second.now().closed)
        return fail(Errc::not_a_member);
    return &at->second;
}

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
    for (const auto& member : state.now().roster) {
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
    auto held = held_chain(tx, state.id);
    if (!held) return pass(held);
    const auto now = core_.now();
    if (*held) {
        const auto active = [&](const DeviceId& device) {
            return std::any_of(state.now().roster.begin(), state.now().roster.end(), [&](const Member& m) {
                const auto* entry = core_.directory->find(m.user);
                return entry != nullptr && entry->entry.active(device, now);
            });
        };
        sealing::SinceOpened since;
        since.user_removed = !state.is_pair() && state.more_than_additions_since((*held)->conv_epoch);
        since.granted_device_gone = !std::all_of((*held)->granted.begin(), (*held)->granted.end(), active);
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
    const auto& head = core_.directory->head();
    const sealing::GrantBinding binding{core_.own().user,  core_.own().device, state.epoch,
                                        state.now().state, head.revision,      head.hash()};
    auto uploads = sealing::seal_grant(chain, binding, core_.identity.secret, missing, core_.random);
    if (!uploads) return pass(uploads);
    for (auto& upload : *uploads) {
        OutboxItem item{core_.random.id<MessageId>(), state.id, false, {}, {}};
        item.up = submit_packet(item.id, state, Submission::grant, upload, {});
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
    }
    chain.granted.insert(reached.begin(), reached.end());
    return {};
}

Result<void> Compose::put_outbox(Transaction& tx, OutboxItem item) {
    auto put = tx.append(Table::outbox, item.encode(), {core_.expiry_day(core_.now(), core_.now()), {}});
    if (!put) return pass(put);
    return {};
}

Result<void> Compose::put_chain(Transaction& tx, const SendingChain& chain) {
    auto bytes = chain.encode();
    auto put = tx.put(Table::send_chains, key_of(chain.conversation), bytes);
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

Result<Composed> Compose::message(const ConversationId& id, const MessageId& message_id,
                                  const conversation::Meaning& meaning, const BlobId& upload) {
    const auto state = open_conversation(id);
    if (!state) return fail(state.error().code);
    auto body = conversation::encode(meaning);
    if (!body) return pass(body);
    const auto to = recipients(**state);
    Composed out{message_id, 0, {}, to.stale};
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        auto there = tx.get(Table::messages, StoredMessage::key(core_.own().device, message_id));
        if (!there) return pass(there);
        if (*there) {  // a repeat: it is sealed already, and in the outbox or beyond
            out.sequence = (*there)->id;
            return {};
        }
        auto chain = ready_chain(tx, **state, to);
        if (!chain) return pass(chain);
        if (auto ok = grant(tx, **state, *chain, to); !ok) return ok;
        auto prev = previous_own(tx, id);
        if (!prev) return pass(prev);
        Content content;
        content.kind = body->kind;
        content.sent = core_.now();
        content.conv_epoch = (*state)->epoch;
        content.id = message_id;
        content.prev_own = *prev;
        content.body = body->bytes;
        auto wire = sealing::seal_message(*chain, core_.own().user, core_.own().device, content, core_.random);
        if (!wire) return pass(wire);

        OutboxItem item{message_id, id, true, upload, {}};
        item.up = submit_packet(message_id, **state, Submission::message, *wire, upload);
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
        if (auto ok = put_chain(tx, *chain); !ok) return ok;
        auto own = tx.put(Table::settings, own_digest_key(id), chain->last_message.view());
        if (!own) return pass(own);
        const StoredMessage stored{id,           core_.own().user,   core_.own().device,    message_id, content.sent,
                                   content.sent, content.conv_epoch, MessageState::sending, body->kind, body->bytes};
        auto row =
            tx.put(Table::messages, stored.key(), stored.encode(), {core_.expiry_day(content.sent, content.sent), {}});
        if (!row) return pass(row);
        out.sequence = *row;
        out.devices.assign(chain->granted.begin(), chain->granted.end());
        return {};
    });
    if (!done) return pass(done);
    core_.newest_message = std::max(core_.newest_message, out.sequence);
    core_.changed.notify_all();
    return out;
}

Result<void> Compose::grant_missing(const ConversationId& id) {
    const auto state = open_conversation(id);
    if (!state) return fail(state.error().code);
    const auto to = recipients(**state);
    return core_.transact([&](Transaction& tx) -> Result<void> {
        auto chain = held_chain(tx, id);
        if (!chain) return pass(chain);
        if (!*chain || core_.now() >= (*chain)->expires) return {};
        if (auto ok = grant(tx, **state, **chain, to); !ok) return ok;
        return put_chain(tx, **chain);
    });
}

Result<ConvEvent> Compose::new_group(const std::vector<UserId>& others) {
    const conversation::EventMaker maker{core_.own().user, core_.own().device, core_.identity.secret,
                                         core_.directory->head(), core_.now()};
    return conversation::create_group(maker, others, core_.random);
}

Result<void> Compose::event(const ConvEvent& event) {
    std::optional<ConversationState> state;
    if (const auto at = core_.conversations.find(event.conversation); at != core_.conversations.end())
        state = at->second;
    conversation::ActorFacts self;
    self.entry_known = true;
    self.cert = &core_.own();
    self.head = conversation::ActorFacts::Head::verified;
    if (conversation::apply(state, event, self) != conversation::Applied::applied)
        return fail(Errc::malformed, "the event does not follow from the roster");
    return core_.transact([&](Transaction& tx) -> Result<void> {
        OutboxItem item{core_.random.id<MessageId>(), event.conversation, false, {}, {}};
        item.up = submit_packet(item.id, *state, Submission::event, event.encode(), {});
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
        return core_.put_conversation(tx, *state);
    });
}

}  // namespace nimes::agent::engine
