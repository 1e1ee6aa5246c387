// What is missed: held messages whose chain is unknown or already passed, and gaps in what a device said. Asked for in
// recovery_ask.cpp.
#include "engine/recovery.hpp"

#include <algorithm>

#include "engine/chains.hpp"
#include "engine/packets.hpp"
#include "sealing/message_opener.hpp"

namespace nimes::agent::engine {

using container::Table;
using container::Transaction;

// Whose chain it is, and where, is the envelope's word alone until the chain is here: copies of one message with other
// words are other things to ask for. The false ones ask in vain, and none in another's place.
Bytes Recovery::Wanted::key() const {
    return std::move(Writer().text("ask").id(chain).id(owner).id(conversation).u8(static_cast<std::uint8_t>(kind)))
        .take();
}

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

Result<std::vector<Recovery::Wanted>> Recovery::missed_chains(Transaction& tx) {
    auto rows = tx.scan(Table::held);
    if (!rows) return pass(rows);
    std::map<Bytes, Wanted> out;
    for (const auto& row : *rows) {
        auto item = HeldItem::parse(row.value);
        if (!item || !core_.has_passed(item->since, kPatience)) continue;
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
        if (!core_.has_passed(message.received, kPatience)) continue;
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

}  // namespace nimes::agent::engine
