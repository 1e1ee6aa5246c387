// What is missed (recovery_missed.cpp) is asked for, sealed to the device that said it, and shown as awaited meanwhile.
// Answered in recovery_answer.cpp.
#include "engine/recovery.hpp"

#include <algorithm>

#include "engine/packets.hpp"
#include "engine/put_back.hpp"

namespace nimes::agent::engine {

using container::Table;
using container::Transaction;

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
    constexpr Millis kPauses[] = {0, kHour, 8 * kHour};
    if (asked >= kAsksAtMost || (asked > 0 && !core_.has_passed(last, kPauses[asked]))) return false;
    const auto now = core_.clock.now();
    auto put = tx.put(Table::requests, key,
                      std::move(Writer().u8(static_cast<std::uint8_t>(asked + 1)).u64(core_.stamp())).take(),
                      {core_.expiry_day(now, now), {}});
    if (!put) return pass(put);
    return true;
}

Result<bool> Recovery::ask_for(Transaction& tx, const Wanted& wanted) {
    const auto* entry = core_.directory->find(wanted.user);
    const auto conversation = core_.conversations.find(wanted.conversation);
    if (conversation == core_.conversations.end()) {
        core_.wanted_events.insert(wanted.conversation);  // whoever told nothing of it may do so now
        return false;
    }
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
    put_back_if_lost(tx, core_.newest_message);
    core_.newest_message = std::max(core_.newest_message, *row);
    return {};
}

}  // namespace nimes::agent::engine
