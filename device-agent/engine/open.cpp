#include "engine/open.hpp"

#include <algorithm>

#include "conversation/content.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/seal_keys.hpp"

namespace nimes::agent::engine {
namespace {

using container::Column;
using container::Table;
using container::Transaction;
using directory::HeldDirectory;
using sealing::ReceivingChain;

constexpr std::uint32_t kColumnOwner = 1;  // of recv_chains: device and conversation
constexpr std::size_t kChainsKept = 5;

template <class IdType>
IdType id_of(const std::string& bytes) {
    return IdType::from(as_bytes(bytes));
}

Bytes owner_of(const DeviceId& device, const ConversationId& conversation, bool resend) {
    return std::move(Writer().id(device).id(conversation).u8(resend ? 1 : 0)).take();
}

Result<std::optional<ReceivingChain>> find_chain(Transaction& tx, const ChainId& id) {
    auto row = tx.get(Table::recv_chains, to_bytes(id.view()));
    if (!row) return pass(row);
    if (!*row) return std::optional<ReceivingChain>{};
    auto chain = ReceivingChain::parse((*row)->value);
    if (!chain) return pass(chain);
    return std::optional(std::move(*chain));
}

Result<void> put_chain(Transaction& tx, const ReceivingChain& chain, Millis retention) {
    auto bytes = chain.encode();
    const auto owner = owner_of(chain.device, chain.conversation, chain.resend);
    auto put = tx.put(Table::recv_chains, to_bytes(chain.id.view()), bytes,
                      {container::expiry_day_of(chain.expires + retention), {Column{kColumnOwner, owner}}});
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

}  // namespace

struct Open::Sender {
    bool entry_known = false;
    const DeviceCert* cert = nullptr;
    const DeviceRevoke* revoke = nullptr;
};

// An entry that lacks the device may be older than what names it: then it is looked up again before it is judged.
Open::Sender Open::sender_of(const UserId& user, const DeviceId& device, std::uint64_t under_revision) {
    const auto* held = core_.directory->find(user);
    const auto* cert = held != nullptr ? held->entry.cert(device) : nullptr;
    if (held == nullptr || (cert == nullptr && held->revision < under_revision) || core_.stale.contains(user)) {
        core_.wanted_users.insert(user);
        if (held == nullptr || cert == nullptr) return {};
    }
    return {true, cert, held->entry.revoke(device)};
}

HeldDirectory::Named Open::named_head(std::uint64_t revision, const Digest& hash) {
    const auto named = core_.directory->judge_named(revision, hash);
    if (named != HeldDirectory::Named::unknown) return named;
    if (revision > core_.directory->head().revision) core_.wanted_newest_head = true;
    core_.wanted_heads.insert(revision);
    return named;
}

const conversation::ConversationState* Open::conversation_of(Transaction& tx, const v1::Envelope& envelope) {
    const auto id = id_of<ConversationId>(envelope.conversation());
    if (const auto at = core_.conversations.find(id); at != core_.conversations.end()) return &at->second;
    if (envelope.users_size() < 1 || envelope.users_size() > 2) return nullptr;
    // The envelope's users are a hint; the id they give must be the one it names, and we must be one of them.
    const auto a = id_of<UserId>(envelope.users(0)), b = id_of<UserId>(envelope.users(envelope.users_size() - 1));
    if (pair_id(a, b) != id || (a != core_.own().user && b != core_.own().user)) return nullptr;
    if (!core_.put_conversation(tx, conversation::pair_conversation(a, b))) return nullptr;
    return &core_.conversations.at(id);
}

Result<Outcome> Open::envelope(Transaction& tx, const v1::Envelope& envelope) {
    switch (envelope.payload_case()) {
        case v1::Envelope::kGrant:
            return grant(tx, envelope);
        case v1::Envelope::kMessage:
            return message(tx, envelope);
        case v1::Envelope::kEvent:
            return event(tx, envelope);
        default:
            return Outcome::dropped;
    }
}

Result<Outcome> Open::grant(Transaction& tx, const v1::Envelope& envelope) {
    std::optional<sealing::DayKey> key;
    const auto find = [&](std::uint32_t key_id) -> const sealing::DayKey* {
        const auto row = tx.get(Table::seal_keys, std::move(Writer().u32(key_id)).take());
        if (!row || !*row) return nullptr;
        auto parsed = sealing::DayKey::parse((*row)->value);
        if (!parsed) return nullptr;
        key = std::move(*parsed);
        return &*key;
    };
    const auto opened = sealing::open_grant(as_bytes(envelope.grant()), find);
    if (!opened) return Outcome::dropped;
    const auto& body = opened->body;

    sealing::GrantFacts facts;
    facts.own_user = core_.own().user;
    facts.retention = core_.provisioning->retention;
    const auto sender = sender_of(body.user, body.device, body.dir_revision);
    facts.sender_entry_known = sender.entry_known;
    facts.sender = sender.cert;
    facts.sender_revoke = sender.revoke;
    const auto* conversation = conversation_of(tx, envelope);
    if (conversation != nullptr && conversation->id == body.conversation) {
        if (const auto* at = conversation->at(body.conv_epoch)) {
            facts.state_at_epoch = at->state;
            facts.roster_at_epoch = &at->roster;
            facts.closed_at_epoch = at->closed;
        }
        facts.roster_now = &conversation->now().roster;
    }
    const auto named = named_head(body.dir_revision, body.dir_head);
    if (named == HeldDirectory::Named::verified) {
        facts.head = sealing::GrantFacts::Head::verified;
        facts.head_ts = core_.directory->known(body.dir_revision)->ts;
    } else if (named == HeldDirectory::Named::failed) {
        facts.head = sealing::GrantFacts::Head::failed;
    }
    auto held = find_chain(tx, opened->header.chain);
    if (!held) return pass(held);
    if (*held) facts.held = &**held;
    auto others =
        tx.find(Table::recv_chains, Column{kColumnOwner, owner_of(body.device, body.conversation, body.resend)});
    if (!others) return pass(others);
    for (const auto& row : *others)
        if (const auto chain = ReceivingChain::parse(row.value))
            facts.highest_chain_no = std::max(facts.highest_chain_no, chain->chain_no);

    const auto verdict = sealing::judge_grant(*opened, facts, core_.now());
    if (!verdict.alarm.empty())
        if (auto ok = core_.raise_alarm(tx, verdict.alarm); !ok) return pass(ok);
    if (verdict.outcome == Outcome::held || verdict.outcome == Outcome::dropped) return verdict.outcome;
    return store_chain(tx, *opened, facts, verdict.outcome == Outcome::withheld);
}

Result<Outcome> Open::store_chain(Transaction& tx, const sealing::OpenedGrant& grant, const sealing::GrantFacts& facts,
                                  bool withhold) {
    const auto chain = sealing::accept_grant(grant, facts, withhold);
    if (auto ok = put_chain(tx, chain, core_.provisioning->retention); !ok) return pass(ok);
    if (facts.held == nullptr && chain.user != core_.own().user)
        core_.peer_chain_opened[chain.conversation] = core_.now();
    auto all =
        tx.find(Table::recv_chains, Column{kColumnOwner, owner_of(chain.device, chain.conversation, chain.resend)});
    if (!all) return pass(all);
    for (std::size_t i = 0; i + kChainsKept < all->size(); ++i)  // R9: the oldest go
        if (auto gone = tx.erase(Table::recv_chains, (*all)[i].key); !gone) return pass(gone);
    return withhold ? Outcome::withheld : Outcome::opened;
}

Result<Outcome> Open::message(Transaction& tx, const v1::Envelope& envelope) {
    const auto wire = WireMessage::parse(as_bytes(envelope.message()));
    if (!wire) return Outcome::dropped;
    auto chain = find_chain(tx, wire->header.chain);
    if (!chain) return pass(chain);
    if (!*chain) return Outcome::held;
    auto opened = sealing::open_message(**chain, as_bytes(envelope.message()));
    if (!opened) return Outcome::dropped;
    if (auto ok = put_chain(tx, opened->chain, core_.provisioning->retention); !ok) return pass(ok);

    const auto& c = opened->chain;
    StoredMessage stored;
    stored.conversation = c.conversation;
    stored.user = c.user;
    stored.device = c.device;
    stored.received = envelope.received_ms();
    stored.id = id_of<MessageId>(envelope.message_id());
    stored.sent = stored.received;
    if (opened->content) {
        stored.id = opened->content->id;
        stored.sent = opened->content->sent;
        stored.conv_epoch = opened->content->conv_epoch;
        stored.kind = opened->content->kind;
        stored.body = opened->content->body;
    }
    // What a revoked device sent later than we learned of it is kept and never shown: its times are worthless.
    const auto* entry = core_.directory->find(c.user);
    const auto* revoke = entry != nullptr ? entry->entry.revoke(c.device) : nullptr;
    const bool revoked =
        revoke != nullptr && (revoke->reason != RevokeReason::replaced || stored.sent >= revoke->effective);
    if (c.withhold || revoked) stored.state = MessageState::withheld;
    const auto conversation = core_.conversations.find(c.conversation);
    if (conversation != core_.conversations.end() && conversation->second.member(c.user) == nullptr)
        return Outcome::dropped;
    return store_message(tx, envelope, std::move(stored), opened->content.has_value());
}

Result<Outcome> Open::store_message(Transaction& tx, const v1::Envelope&, StoredMessage message, bool readable) {
    auto there = tx.get(Table::messages, message.key());
    if (!there) return pass(there);
    if (*there) return Outcome::dropped;  // shown once, however often it comes
    const bool withheld = message.state == MessageState::withheld;
    if (!withheld && (!readable || !conversation::decode(message.kind, message.body)))
        message.state = MessageState::unreadable;
    if (message.state == MessageState::opened)
        if (auto ok = learn(tx, message); !ok) return pass(ok);
    auto row = tx.put(Table::messages, message.key(), message.encode(),
                      {core_.expiry_day(message.sent, message.received), {}});
    if (!row) return pass(row);
    core_.newest_message = std::max(core_.newest_message, *row);
    return withheld ? Outcome::withheld : Outcome::opened;
}

// What a message changes beside being shown: a medium can be fetched, a group has its title.
Result<void> Open::learn(Transaction& tx, const StoredMessage& message) {
    const auto meaning = conversation::decode(message.kind, message.body);
    if (const auto* m = std::get_if<conversation::Media>(&*meaning)) {
        MediumItem item{message.conversation, m->key.copy(), m->plain_length, m->padded_length, m->digest};
        auto bytes = item.encode();
        auto put = tx.put(Table::media, to_bytes(m->blob.view()), bytes,
                          {core_.expiry_day(message.sent, message.received), {}});
        sodium_memzero(bytes.data(), bytes.size());
        if (!put) return pass(put);
    }
    if (const auto* info = std::get_if<conversation::Info>(&*meaning)) {
        const auto at = core_.conversations.find(message.conversation);
        if (at == core_.conversations.end() || at->second.is_pair()) return {};
        const auto* member = at->second.member(message.user);
        if (member == nullptr || member->role != MemberRole::administrator) return {};
        core_.titles[message.conversation] = info->title;
        return core_.put_conversation(tx, at->second);
    }
    return {};
}

Result<Outcome> Open::event(Transaction& tx, const v1::Envelope& envelope) {
    const auto event = ConvEvent::parse(as_bytes(envelope.event()));
    if (!event || event->conversation != id_of<ConversationId>(envelope.conversation())) return Outcome::dropped;
    const auto sender = sender_of(event->actor_user, event->actor_device, event->dir_revision);
    conversation::ActorFacts actor;
    actor.entry_known = sender.entry_known;
    actor.cert = sender.cert;
    actor.revoke = sender.revoke;
    const auto named = named_head(event->dir_revision, event->dir_head);
    if (named == HeldDirectory::Named::verified) actor.head = conversation::ActorFacts::Head::verified;
    if (named == HeldDirectory::Named::failed) actor.head = conversation::ActorFacts::Head::failed;
    std::optional<conversation::ConversationState> state;
    if (const auto at = core_.conversations.find(event->conversation); at != core_.conversations.end())
        state = at->second;
    switch (conversation::apply(state, *event, actor)) {
        case conversation::Applied::applied:
            break;
        case conversation::Applied::forked:
            if (auto ok =
                    core_.raise_alarm(tx, "two valid rosters of one group: nothing is sent there until it is mended");
                !ok)
                return pass(ok);
            break;
        case conversation::Applied::held:
            return Outcome::held;
        case conversation::Applied::repeated:
        case conversation::Applied::dropped:
            return Outcome::dropped;
    }
    if (auto ok = core_.put_conversation(tx, *state); !ok) return pass(ok);
    for (const auto& m : state->now().roster)
        if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
    return Outcome::opened;
}

}  // namespace nimes::agent::engine
