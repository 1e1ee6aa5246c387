#include "engine/compose.hpp"

#include <algorithm>

#include "engine/chains.hpp"
#include "engine/packets.hpp"
#include "sealing/message_sealer.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::ConversationState;
using sealing::SendingChain;

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
    if (core_.doubted.contains(id))
        return fail(Errc::held, "changes of this group wait for the word of one of its administrators");
    if (core_.newer_epochs.contains(id))
        return fail(Errc::held, "somebody named a newer roster of this group, which has not come yet");
    return &at->second;
}

Result<void> Compose::put_outbox(Transaction& tx, OutboxItem item) {
    auto put = tx.append(Table::outbox, item.encode(), {core_.expiry_day(core_.now(), core_.now()), {}});
    if (!put) return pass(put);
    return {};
}

// The conversation's life of messages goes into each of them: receivers need not know what was agreed.
void Compose::set_lifetime(const ConversationId& id, conversation::Meaning& meaning) const {
    const auto at = core_.infos.find(id);
    const auto agreed = at == core_.infos.end() ? 0u : at->second.expires_after_s;
    if (agreed == 0) return;
    const auto shorten = [&](conversation::Lifetime& l) {
        l.expires_after_s = l.expires_after_s == 0 ? agreed : std::min(l.expires_after_s, agreed);
    };
    if (auto* text = std::get_if<conversation::Text>(&meaning)) shorten(text->lifetime);
    if (auto* media = std::get_if<conversation::Media>(&meaning)) shorten(media->lifetime);
}

Result<Bytes> Compose::seal(Transaction& tx, SendingChain& chain, const Content& content) {
    auto wire = sealing::seal_message(chain, core_.own().user, core_.own().device, content, core_.random);
    if (!wire) return wire;
    if (auto ok = put_sending(tx, chain); !ok) return pass(ok);
    return wire;
}

// What was said is kept as the others keep it; a signal is not.
Result<std::uint64_t> Compose::keep_own(Transaction& tx, const SendingChain& chain, const Content& content,
                                        const conversation::Meaning& meaning) {
    auto own = tx.put(Table::settings, own_digest_key(chain.conversation), chain.last_message.view());
    if (!own) return pass(own);
    StoredMessage stored;
    stored.conversation = chain.conversation;
    stored.user = core_.own().user;
    stored.device = core_.own().device;
    stored.id = content.id;
    stored.sent = stored.received = content.sent;
    stored.conv_epoch = content.conv_epoch;
    stored.state = MessageState::sending;
    stored.kind = content.kind;
    stored.chain = chain.id;
    stored.index = chain.index - 1;
    std::copy_n(chain.last_message.bytes.begin(), stored.digest.size(), stored.digest.begin());
    stored.body = content.body;
    stored.expires_after_s = lifetime_of(meaning);
    stored.shown = stored.expires_after_s != 0 ? content.sent : 0;
    const auto expiry_day = core_.expiry_day(content.sent, content.sent);
    // In this transaction: who can send a medium can also open it, whenever the process dies.
    if (const auto* medium = std::get_if<conversation::Media>(&meaning))
        if (auto ok = put_medium(tx, stored.conversation, medium->ref, expiry_day); !ok) return pass(ok);
    if (const auto* info = std::get_if<conversation::Info>(&meaning); info != nullptr && info->picture)
        if (auto ok = put_medium(tx, stored.conversation, *info->picture, expiry_day); !ok) return pass(ok);
    if (auto ok = acts_.take(tx, stored, meaning); !ok) return pass(ok);
    return put_message(tx, stored, expiry_day);
}

Result<Composed> Compose::message(const ConversationId& id, const MessageId& message_id, conversation::Meaning meaning,
                                  const BlobId& upload) {
    const auto state = open_conversation(id);
    if (!state) return fail(state.error().code, state.error().detail);
    set_lifetime(id, meaning);
    auto body = conversation::encode(meaning);
    if (!body) return pass(body);
    const bool signal = std::holds_alternative<conversation::Signal>(meaning);
    const auto to = recipients(**state);
    Composed out{message_id, 0, {}, to.stale};
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        auto there = find_message(tx, core_.own().device, message_id);
        if (!there) return pass(there);
        if (*there) {  // a repeat: it is sealed already, and in the outbox or beyond
            out.sequence = (*there)->row;
            return {};
        }
        auto chain = ready_chain(tx, **state, to);
        if (!chain) return pass(chain);
        if (auto ok = grant(tx, **state, *chain, to); !ok) return ok;
        Content content;
        content.kind = body->kind;
        content.sent = core_.stamp();
        content.conv_epoch = (*state)->epoch;
        content.id = message_id;
        content.body = body->bytes;
        if (!signal) {
            auto prev = previous_own(tx, id);
            if (!prev) return pass(prev);
            content.prev_own = *prev;
        }
        auto wire = seal(tx, *chain, content);
        if (!wire) return pass(wire);
        OutboxItem item{message_id, id, true, upload, {}};
        item.up = submit_packet(message_id, **state, signal ? Submission::signal : Submission::message, *wire, upload);
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
        out.devices.assign(chain->granted.begin(), chain->granted.end());
        if (signal) return {};
        auto row = keep_own(tx, *chain, content, meaning);
        if (!row) return pass(row);
        out.sequence = *row;
        return {};
    });
    if (!done) return pass(done);
    core_.newest_message = std::max(core_.newest_message, out.sequence);
    core_.changed.notify_all();
    return out;
}

Result<conversation::EventMaker> Compose::maker() const {
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    return conversation::EventMaker{core_.own().user, core_.own().device, identity->secret, core_.directory->head(),
                                    core_.stamp()};
}

Result<MessageId> Compose::event(const ConvEvent& event) {
    const auto id = core_.random.id<MessageId>();
    auto after = base_of(event);
    if (apply_own(after, event) != conversation::Applied::applied)
        return fail(Errc::malformed, "the change does not follow from the roster");
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        OutboxItem item{id, event.conversation, false, {}, {}};
        item.up = submit_packet(item.id, *after, Submission::event, event.encode(), {});
        if (auto ok = put_outbox(tx, std::move(item)); !ok) return ok;
        if (event.kind != EventKind::create) return {};
        return core_.put_conversation(tx, *after);
    });
    if (!done) return pass(done);
    return id;
}

Result<void> Compose::event_accepted(const ConvEvent& event) {
    auto state = base_of(event);
    if (apply_own(state, event) != conversation::Applied::applied) return {};  // a creation, or told already
    return core_.transact([&](Transaction& tx) { return core_.put_conversation(tx, *state); });
}

// What an own event stands on: an administrator's word stands on what was in doubt.
std::optional<ConversationState> Compose::base_of(const ConvEvent& event) const {
    const auto doubt = core_.doubted.find(event.conversation);
    if (doubt != core_.doubted.end() && doubt->second.state.now().state == event.prev_hash) return doubt->second.state;
    const auto at = core_.conversations.find(event.conversation);
    return at != core_.conversations.end() ? std::optional(at->second) : std::nullopt;
}

conversation::Applied Compose::apply_own(std::optional<ConversationState>& state, const ConvEvent& event) const {
    conversation::ActorFacts self;
    self.entry_known = true;
    self.cert = &core_.own();
    self.head = conversation::ActorFacts::Head::verified;
    return conversation::apply(state, event, self);
}

}  // namespace nimes::agent::engine
