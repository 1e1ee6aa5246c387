// Of step 8, open: a message is opened and stored with what follows from it (FORMATS.md 2.7, "Receiver order").
#include "conversation/content.hpp"
#include "engine/chains.hpp"
#include "engine/open.hpp"
#include "engine/put_back.hpp"
#include "sealing/message_opener.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::Meaning;

constexpr std::size_t kReceiptsUpTo = 50;  // devices; above, the mailboxes' acknowledgements are all there is

StoredMessage stored_from(const sealing::OpenedMessage& opened, const v1::Envelope& envelope) {
    const auto& chain = opened.chain;
    StoredMessage out;
    out.conversation = chain.conversation;
    out.user = chain.user;
    out.device = chain.device;
    out.chain = chain.id;
    out.index = opened.index;
    std::copy_n(opened.digest.bytes.begin(), out.digest.size(), out.digest.begin());
    out.received = envelope.received_ms();
    out.id = MessageId::from(as_bytes(envelope.message_id()));
    out.sent = out.received;
    if (!opened.content) return out;
    out.id = opened.content->id;
    out.sent = opened.content->sent;
    out.conv_epoch = opened.content->conv_epoch;
    out.kind = opened.content->kind;
    out.resent = opened.content->resent;
    out.body = opened.content->body;
    return out;
}

}  // namespace

Result<Outcome> Open::message(Transaction& tx, const v1::Envelope& envelope) {
    const auto wire = WireMessage::parse(as_bytes(envelope.message()));
    if (!wire) return Outcome::dropped;
    auto chain = find_receiving(tx, wire->header.chain);
    if (!chain) return pass(chain);
    if (!*chain) return held_unless_here(tx, envelope);
    auto opened = sealing::open_message(**chain, as_bytes(envelope.message()));
    if (!opened) {
        if (sealing::lies_before(**chain, wire->header.index)) return before_our_index(tx, envelope);
        core_.failures.damaged++;
        return Outcome::dropped;
    }
    if (auto ok = put_receiving(tx, opened->chain, core_.provisioning->policy.retention); !ok) return pass(ok);
    const auto conversation = core_.conversations.find(opened->chain.conversation);
    if (conversation == core_.conversations.end() || conversation->second.member(opened->chain.user) == nullptr)
        return Outcome::dropped;
    auto stored = stored_from(*opened, envelope);
    const bool readable = opened->content.has_value();
    if (readable && stored.resent != opened->chain.resend) return Outcome::dropped;
    if (stored.kind == static_cast<std::uint8_t>(ContentKind::signal)) {
        core_.note_typing(stored.conversation, stored.user, stored.sent);
        return Outcome::opened;
    }
    if (readable && !stored.resent)
        if (auto ok = note_gap(tx, stored, opened->content->prev_own); !ok) return pass(ok);
    if (auto ok = core_.note_newer_epoch(tx, stored.conversation, stored.conv_epoch); !ok) return pass(ok);
    stored.state = judge(stored, opened->chain.withhold, readable);
    return store_message(tx, std::move(stored), readable);
}

// Its key is gone: it was opened before, or it was sealed before this device was granted the chain. The latter is held,
// and asked for like anything else that is missing.
Result<Outcome> Open::before_our_index(Transaction& tx, const v1::Envelope& envelope) {
    const auto digest = message_digest(as_bytes(envelope.message()));
    ByteArray<16> start{};
    std::copy_n(digest.bytes.begin(), start.size(), start.begin());
    auto opened = has_digest(tx, start);
    if (!opened) return pass(opened);
    if (*opened) return Outcome::dropped;
    return held_unless_here(tx, envelope);
}

// What was sent again meanwhile needs no waiting for its first form. The envelope's word for what it is may be false:
// then the message after it shows the gap.
Result<Outcome> Open::held_unless_here(Transaction& tx, const v1::Envelope& envelope) {
    auto row = find_message(tx, DeviceId::from(as_bytes(envelope.sender_device())),
                            MessageId::from(as_bytes(envelope.message_id())));
    if (!row) return pass(row);
    const bool here = *row && (*row)->message.state != MessageState::awaited;
    return here ? Outcome::dropped : Outcome::held;
}

// What a revoked device sent later than we learned of it is kept and never shown: its times are worthless.
MessageState Open::judge(const StoredMessage& message, bool withhold, bool readable) const {
    const auto* entry = core_.directory->find(message.user);
    const auto* revoke = entry != nullptr ? entry->entry.revoke(message.device) : nullptr;
    const bool revoked =
        revoke != nullptr && (revoke->reason != RevokeReason::replaced || message.sent >= revoke->effective);
    if (withhold || revoked) return MessageState::withheld;
    return readable ? MessageState::opened : MessageState::unreadable;
}

// Every message names the one before it of its device; one that never came is a gap, which is shown and asked for.
Result<void> Open::note_gap(Transaction& tx, StoredMessage& message, const ByteArray<16>& prev_own) {
    const auto key = last_digest_key(message.device, message.conversation);
    auto last = tx.get(Table::settings, key);
    if (!last) return pass(last);
    if (*last && prev_own != ByteArray<16>{}) {
        auto before = has_digest(tx, prev_own);
        if (!before) return pass(before);
        if (!*before) message.missing_before = prev_own;
    }
    auto put = tx.put(Table::settings, key, message.digest, {core_.expiry_day(message.sent, core_.now()), {}});
    if (!put) return pass(put);
    return {};
}

Result<Outcome> Open::store_message(Transaction& tx, StoredMessage message, bool readable) {
    auto there = find_message(tx, message.device, message.id);
    if (!there) return pass(there);
    if (*there) {
        const auto& held = (*there)->message;
        const bool attested = !held.attested_by.is_zero() && held.state == MessageState::opened;
        if (held.state != MessageState::awaited && !attested)
            return Outcome::dropped;  // shown once, however often it comes; what is authentic replaces what was
                                      // imported
        if (auto gone = tx.erase(Table::messages, message.key()); !gone) return pass(gone);
    }
    const bool withheld = message.state == MessageState::withheld;
    auto meaning = readable ? conversation::decode(message.kind, message.body) : fail(Errc::malformed);
    if (!withheld && !meaning) {
        message.state = MessageState::unreadable;
        core_.failures.unreadable++;
    }
    if (message.state == MessageState::opened)
        if (auto ok = learn(tx, message, *meaning); !ok) return pass(ok);
    auto row = put_message(tx, message, core_.expiry_day(message.sent, message.received));
    if (!row) return pass(row);
    put_back_if_lost(tx, core_.newest_message);
    core_.newest_message = std::max(core_.newest_message, *row);
    return withheld ? Outcome::withheld : Outcome::opened;
}

// What a message changes beside being shown.
Result<void> Open::learn(Transaction& tx, StoredMessage& message, const Meaning& meaning) {
    message.expires_after_s = lifetime_of(meaning);
    if (receipt_wanted(message, meaning)) message.receipt = ReceiptDue::delivered_due;
    if (const auto* m = std::get_if<conversation::Media>(&meaning))
        if (auto ok = keep_medium(tx, message, m->ref); !ok) return ok;
    if (const auto* info = std::get_if<conversation::Info>(&meaning))
        if (auto ok = learn_info(tx, message, *info); !ok) return ok;
    if (auto ok = acts_.take(tx, message, meaning); !ok) return ok;
    return acts_.settle(tx, message, meaning);
}

// How to open a medium, for when somebody wants to see it.
Result<void> Open::keep_medium(Transaction& tx, const StoredMessage& message, const conversation::MediaRef& ref) {
    return put_medium(tx, message.conversation, ref, core_.expiry_day(message.sent, message.received));
}

// Title and life of messages: of a group its administrators say, of two either.
Result<void> Open::learn_info(Transaction& tx, const StoredMessage& message, const conversation::Info& info) {
    const auto at = core_.conversations.find(message.conversation);
    if (at == core_.conversations.end()) return {};
    const auto* member = at->second.member(message.user);
    if (member == nullptr || (!at->second.is_pair() && member->role != MemberRole::administrator)) return {};
    if (info.picture)
        if (auto ok = keep_medium(tx, message, *info.picture); !ok) return ok;
    put_back_if_lost(tx, core_.infos, message.conversation);
    core_.infos[message.conversation] = info_of(info);
    return core_.put_conversation(tx, at->second);
}

bool Open::receipt_wanted(const StoredMessage& message, const Meaning& meaning) const {
    if (message.user == core_.own().user || message.resent) return false;
    if (!std::holds_alternative<conversation::Text>(meaning) && !std::holds_alternative<conversation::Media>(meaning) &&
        !std::holds_alternative<conversation::Poll>(meaning) &&
        !std::holds_alternative<conversation::Position>(meaning))
        return false;
    const auto at = core_.conversations.find(message.conversation);
    return at != core_.conversations.end() && core_.devices_of(at->second) <= kReceiptsUpTo;
}

}  // namespace nimes::agent::engine
