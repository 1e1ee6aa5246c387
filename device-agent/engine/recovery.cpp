#include "engine/recovery.hpp"

#include <algorithm>

#include "engine/chains.hpp"
#include "engine/packets.hpp"
#include "sealing/message_opener.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using sealing::Outcome;

constexpr std::size_t kAtOnce = 50;
constexpr Millis kRequestLife = 7 * kDay;
constexpr Millis kFutureAtMost = 10 * kMinute;

Bytes count_key(const KeyRequest& r, Millis now) {
    return std::move(Writer().text("count").id(r.chain).id(r.conversation).id(r.requester).u32(utc_day(now))).take();
}
Bytes nonce_key(const KeyRequest& r) { return std::move(Writer().text("nonce").bytes(r.nonce)).take(); }

bool is_member(const Roster& roster, const UserId& user) {
    return std::any_of(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
}

}  // namespace

struct Recovery::Wanted {
    UserId user;
    DeviceId owner;
    ConversationId conversation;
    ChainId chain;
    RequestKind kind = RequestKind::chain;
    std::uint32_t have_index = 0;
    std::vector<v1::Envelope> envelopes;  // that wait for it

    // Whose chain it is, and where, is the envelope's word alone until the chain is here: copies of one message with
    // other words are other things to ask for. The false ones ask in vain, and none in another's place.
    [[nodiscard]] Bytes key() const {
        return std::move(Writer().text("ask").id(chain).id(owner).id(conversation).u8(static_cast<std::uint8_t>(kind)))
            .take();
    }
};

Bytes HeldItem::encode() const {
    Bytes packed(envelope.ByteSizeLong());
    (void)envelope.SerializeToArray(packed.data(), static_cast<int>(packed.size()));
    return std::move(Writer().u64(since).bytes(packed)).take();
}

Result<HeldItem> HeldItem::parse(ByteView bytes) {
    Reader in(bytes);
    HeldItem out;
    out.since = in.u64();
    const auto packed = in.take(in.left());
    if (in.failed() || !out.envelope.ParseFromArray(packed.data(), static_cast<int>(packed.size())))
        return fail(Errc::malformed, "a held item");
    return out;
}

Result<bool> Recovery::ask() {
    bool asked = false;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        auto chains = missed_chains(tx);
        if (!chains) return pass(chains);
        auto messages = missed_messages(tx);
        if (!messages) return pass(messages);
        std::move(messages->begin(), messages->end(), std::back_inserter(*chains));
        std::size_t sent_now = 0;
        for (const auto& wanted : *chains) {
            auto sent = sent_now < kAtOnce ? ask_for(tx, wanted) : Result<bool>(false);
            if (!sent) return pass(sent);
            sent_now += *sent ? 1 : 0;
            for (const auto& envelope : wanted.envelopes)
                if (auto ok = show_awaited(tx, envelope); !ok) return ok;
        }
        asked = sent_now != 0;
        return {};
    });
    if (!done) return pass(done);
    if (asked) core_.changed.notify_all();
    return asked;
}

Result<std::vector<Recovery::Wanted>> Recovery::missed_chains(Transaction& tx) {
    auto rows = tx.scan(Table::held);
    if (!rows) return pass(rows);
    std::map<Bytes, Wanted> out;
    for (const auto& row : *rows) {
        auto item = HeldItem::parse(row.value);
        if (!item || core_.clock.now() < item->since + kPatience) continue;
        auto& envelope = item->envelope;
        const auto wire = WireMessage::parse(as_bytes(envelope.message()));
        if (!wire) continue;
        auto known = find_receiving(tx, wire->header.chain);
        if (!known) return pass(known);
        const auto index = wire->header.index;
        if (*known && !sealing::lies_before(**known, index)) continue;
        if (auto ok = know_pair(tx, envelope); !ok) return pass(ok);
        Wanted wanted{UserId::from(as_bytes(envelope.sender_user())),
                      DeviceId::from(as_bytes(envelope.sender_device())),
                      ConversationId::from(as_bytes(envelope.conversation())),
                      wire->header.chain,
                      *known ? RequestKind::messages : RequestKind::chain,
                      *known ? index : 0,
                      {}};
        auto& at = out.try_emplace(wanted.key(), std::move(wanted)).first->second;
        if (*known) at.have_index = std::min(at.have_index, index);
        at.envelopes.push_back(std::move(envelope));
    }
    std::vector<Wanted> list;
    for (auto& [key, wanted] : out) list.push_back(std::move(wanted));
    return list;
}

// The first that came of a conversation of two may be what cannot be opened: it is asked for in that conversation. The
// envelope's users are a hint; the id they give must be the one it names, and we must be one of them.
Result<void> Recovery::know_pair(Transaction& tx, const v1::Envelope& envelope) {
    const auto id = ConversationId::from(as_bytes(envelope.conversation()));
    if (core_.conversations.contains(id) || envelope.users_size() < 1 || envelope.users_size() > 2) return {};
    const auto a = UserId::from(as_bytes(envelope.users(0)));
    const auto b = UserId::from(as_bytes(envelope.users(envelope.users_size() - 1)));
    if (pair_id(a, b) != id || (a != core_.own().user && b != core_.own().user)) return {};
    return core_.put_conversation(tx, conversation::pair_conversation(a, b));
}

// Where the gap is: inside the chain of the message that names what is missing, or at the end of the one before.
Result<std::vector<Recovery::Wanted>> Recovery::missed_messages(Transaction& tx) {
    auto rows = messages_due(tx, Due::missing, kAtOnce);
    if (!rows) return pass(rows);
    std::vector<Wanted> out;
    for (auto& [row, expiry_day, message] : *rows) {
        if (core_.clock.now() < message.received + kPatience) continue;
        auto here = has_digest(tx, message.missing_before);
        if (!here) return pass(here);
        if (*here) {  // it came meanwhile
            message.missing_before = {};
            if (auto put = put_message(tx, message, expiry_day); !put) return pass(put);
            continue;
        }
        Wanted wanted{message.user, message.device, message.conversation, {}, RequestKind::messages, 0, {}};
        const auto owner = owner_of(message.device, message.conversation, false);
        auto chains = tx.find(Table::recv_chains, container::Column{kColumnOwner, owner});
        if (!chains) return pass(chains);
        std::uint32_t best = 0;
        for (const auto& found : *chains) {
            const auto chain = sealing::ReceivingChain::parse(found.value);
            if (!chain || (chain->id == message.chain && chain->skipped.empty())) continue;
            const bool same = chain->id == message.chain;
            if (!same && chain->chain_no < best) continue;
            wanted.chain = chain->id;
            wanted.have_index = chain->skipped.empty() ? chain->index : chain->skipped.begin()->first;
            best = chain->chain_no;
            if (same) break;
        }
        if (!wanted.chain.is_zero()) out.push_back(std::move(wanted));
    }
    return out;
}

// A minute, an hour, eight hours: three times for a chain.
Result<bool> Recovery::may_ask(Transaction& tx, const Wanted& wanted) {
    const auto key = wanted.key();
    auto row = tx.get(Table::requests, key);
    if (!row) return pass(row);
    std::uint8_t asked = 0;
    Millis last = 0;
    if (*row) {
        Reader in((*row)->value);
        asked = in.u8();
        last = in.u64();
    }
    const auto now = core_.clock.now();
    constexpr Millis kPauses[] = {0, kHour, 8 * kHour};
    if (asked >= kAsksAtMost || (asked > 0 && now < last + kPauses[asked])) return false;
    auto put =
        tx.put(Table::requests, key, std::move(Writer().u8(static_cast<std::uint8_t>(asked + 1)).u64(now)).take(),
               {core_.expiry_day(now, now), {}});
    if (!put) return pass(put);
    return true;
}

Result<bool> Recovery::ask_for(Transaction& tx, const Wanted& wanted) {
    const auto* entry = core_.directory->find(wanted.user);
    const auto conversation = core_.conversations.find(wanted.conversation);
    if (conversation == core_.conversations.end()) return false;
    const auto* key = entry != nullptr ? entry->seal_key(wanted.owner, core_.now()) : nullptr;
    if (key == nullptr || !entry->entry.active(wanted.owner, core_.now())) {
        core_.wanted_users.insert(wanted.user);
        return false;
    }
    auto allowed = may_ask(tx, wanted);
    if (!allowed || !*allowed) return allowed;
    KeyRequest request;
    request.kind = wanted.kind;
    request.owner = wanted.owner;
    request.requester = core_.own().device;
    request.conversation = wanted.conversation;
    request.chain = wanted.chain;
    request.have_index = wanted.have_index;
    core_.random.fill(request.nonce);
    request.ts = core_.stamp();
    request.dir_revision = core_.directory->head().revision;
    request.dir_head = core_.directory->head().hash();
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    request.signature = sign_key_request(identity->secret, request.body());
    const auto sealed = seal_control(ControlType::key_request, wanted.owner, key->key_id, key->key, request.encode());
    if (auto ok = compose_.send_direct(tx, conversation->second, Direct::control, wanted.owner, sealed); !ok)
        return pass(ok);
    return true;
}

// So that the person knows: something is there, and what happens next.
Result<void> Recovery::show_awaited(Transaction& tx, const v1::Envelope& envelope) {
    StoredMessage out;
    out.user = UserId::from(as_bytes(envelope.sender_user()));
    out.device = DeviceId::from(as_bytes(envelope.sender_device()));
    out.id = MessageId::from(as_bytes(envelope.message_id()));
    auto there = find_message(tx, out.device, out.id);
    if (!there) return pass(there);
    if (*there) return {};
    out.conversation = ConversationId::from(as_bytes(envelope.conversation()));
    out.sent = out.received = envelope.received_ms();
    out.state = MessageState::awaited;
    auto row = put_message(tx, out, core_.expiry_day(core_.clock.now(), core_.clock.now()));
    if (!row) return pass(row);
    core_.newest_message = std::max(core_.newest_message, *row);
    return {};
}

Result<bool> Recovery::seen_before(Transaction& tx, const KeyRequest& request) {
    const auto now = core_.now();
    const container::PutOptions week{container::expiry_day_of(now + kRequestLife), {}};
    auto nonce = tx.get(Table::requests, nonce_key(request));
    if (!nonce) return pass(nonce);
    if (*nonce) return true;
    auto count = tx.get(Table::requests, count_key(request, now));
    if (!count) return pass(count);
    const std::uint32_t asked = *count ? Reader((*count)->value).u32() : 0;
    if (asked >= kAsksAtMost) return true;
    if (auto put = tx.put(Table::requests, nonce_key(request), Bytes{1}, week); !put) return pass(put);
    auto put = tx.put(Table::requests, count_key(request, now), std::move(Writer().u32(asked + 1)).take(), week);
    if (!put) return pass(put);
    return false;
}

Result<Outcome> Recovery::requested(Transaction& tx, const KeyRequest& request, const UserId& claimed) {
    const auto now = core_.now();
    if (request.owner != core_.own().device || request.ts + kRequestLife < now || request.ts > now + kFutureAtMost)
        return Outcome::dropped;
    const auto* entry = core_.directory->find(claimed);
    const auto* cert = entry != nullptr ? entry->entry.cert(request.requester) : nullptr;
    if (cert == nullptr) {
        // Of an entry that is newer than the request names, absence is an answer.
        if (entry != nullptr && entry->revision >= request.dir_revision) return Outcome::dropped;
        core_.wanted_users.insert(claimed);
        return Outcome::held;
    }
    if (!entry->entry.active(request.requester, now) || !verify_key_request(request, cert->identity))
        return Outcome::dropped;
    const auto named = core_.directory->judge_named(request.dir_revision, request.dir_head, request.ts);
    if (named == directory::HeldDirectory::Named::failed) return Outcome::dropped;
    if (named == directory::HeldDirectory::Named::unknown) {
        core_.wanted_heads.insert(request.dir_revision);
        if (request.dir_revision > core_.directory->head().revision) core_.wanted_newest_head = true;
        return Outcome::held;
    }
    const auto at = core_.conversations.find(request.conversation);
    if (at == core_.conversations.end() || !is_member(at->second.agreed(), claimed)) return Outcome::dropped;
    if (!core_.directory->head_fresh(now) || entry->seal_key(request.requester, now) == nullptr) {
        core_.wanted_users.insert(claimed);
        return Outcome::held;
    }
    auto seen = seen_before(tx, request);
    if (!seen) return pass(seen);
    if (*seen) return Outcome::dropped;
    if (auto ok = compose_.grant_again(tx, at->second, *cert); !ok) return pass(ok);
    auto sealed = messages_of_chain(tx, request.chain);
    if (!sealed) return pass(sealed);
    std::erase_if(*sealed, [&](const MessageRow& m) {
        return request.kind == RequestKind::messages && m.message.index < request.have_index;
    });
    if (auto ok = compose_.send_again(tx, at->second, *cert, *sealed); !ok) return pass(ok);
    return Outcome::opened;
}

Result<void> Recovery::send_again(const MessageId& id, const std::vector<DeviceId>& devices) {
    return core_.transact([&](Transaction& tx) -> Result<void> {
        auto row = find_message(tx, core_.own().device, id);
        if (!row) return pass(row);
        if (!*row) return {};
        const auto at = core_.conversations.find((*row)->message.conversation);
        if (at == core_.conversations.end()) return {};
        for (const auto& member : at->second.agreed()) {
            const auto* entry = core_.directory->find(member.user);
            if (entry == nullptr) continue;
            for (const auto* cert : entry->entry.active_devices(core_.now())) {
                if (std::find(devices.begin(), devices.end(), cert->device) == devices.end()) continue;
                if (entry->seal_key(cert->device, core_.now()) == nullptr) continue;
                if (auto ok = compose_.send_again(tx, at->second, *cert, {**row}); !ok) return ok;
            }
        }
        return {};
    });
}

}  // namespace nimes::agent::engine
