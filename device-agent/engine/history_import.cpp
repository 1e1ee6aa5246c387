// The new device's side: records of a bundle become messages, marked with the device that attests them.
#include <algorithm>

#include "engine/history.hpp"
#include "engine/put_back.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::HistoryMessage;
using conversation::Meaning;

constexpr Millis kFutureAtMost = 10 * kMinute;

StoredMessage stored_from(HistoryMessage& m, const DeviceId& attested_by) {
    StoredMessage out;
    out.conversation = m.conversation;
    out.user = m.user;
    out.device = m.device;
    out.id = m.id;
    out.sent = m.sent;
    out.received = m.received;
    out.conv_epoch = m.conv_epoch;
    out.kind = m.kind;
    out.attested_by = attested_by;
    out.body = std::move(m.body);
    return out;
}

}  // namespace

// An act of the bundle changes what came in a bundle of that device, and nothing else: of what this device
// authenticated itself, it knows the acts itself.
Result<bool> History::acts_on_imported(Transaction& tx, const DeviceId& from, const StoredMessage& message,
                                       const Meaning& meaning) {
    bool any = false;
    for (const auto& target : conversation::targets_of(message.device, meaning)) {
        auto row = find_message(tx, target.device, target.message);
        if (!row) return pass(row);
        if (!*row || (*row)->message.attested_by != from) continue;
        if (auto ok = acts_.take(tx, message, conversation::about(meaning, target)); !ok) return pass(ok);
        any = true;
    }
    return any;
}

Result<bool> History::import_one(Transaction& tx, const DeviceId& from, HistoryMessage& in) {
    if (std::max(in.sent, in.received) > core_.now() + kFutureAtMost || in.shown > core_.now()) return false;
    if (!was_member(in.conversation, in.conv_epoch, core_.own().user) ||
        !was_member(in.conversation, in.conv_epoch, in.user))
        return false;
    auto there = find_message(tx, in.device, in.id);
    if (!there) return pass(there);
    if (*there && (*there)->message.state != MessageState::awaited) return false;
    const auto meaning = conversation::decode(in.kind, in.body);
    if (!meaning || !alive(in, *meaning)) return false;
    const auto shown = in.shown;
    auto message = stored_from(in, from);
    message.expires_after_s = lifetime_of(*meaning);
    message.shown = message.expires_after_s != 0 ? shown : 0;
    const auto day = core_.expiry_day(message.sent, message.received);
    if (!conversation::targets_of(message.device, *meaning).empty()) {
        auto acted = acts_on_imported(tx, from, message, *meaning);
        if (!acted || !*acted) return acted;
    } else if (auto ok = acts_.settle(tx, message, *meaning); !ok) {
        return pass(ok);
    }
    if (const auto* m = std::get_if<conversation::Media>(&*meaning); m != nullptr && !message.body.empty()) {
        auto known = tx.get(Table::media, to_bytes(m->ref.blob.view()));
        if (!known) return pass(known);
        if (!*known)
            if (auto ok = put_medium(tx, message.conversation, m->ref, day); !ok) return pass(ok);
    }
    if (*there)
        if (auto gone = tx.erase(Table::messages, message.key()); !gone) return pass(gone);
    auto row = put_message(tx, message, day);
    if (!row) return pass(row);
    put_back_if_lost(tx, core_.newest_message);
    core_.newest_message = std::max(core_.newest_message, *row);
    return true;
}

Result<void> History::import(HistoryItem& item, std::vector<HistoryMessage>& batch) {
    const auto taken = item.taken, imported = item.imported;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        for (auto& message : batch) {
            auto came = import_one(tx, item.offer.old_device, message);
            if (!came) return pass(came);
            item.taken++;
            item.imported += *came ? 1 : 0;
        }
        return put(tx, item);
    });
    if (!done) {
        item.taken = taken;
        item.imported = imported;
    }
    for (auto& message : batch) sodium_memzero(message.body.data(), message.body.size());
    batch.clear();
    core_.changed.notify_all();
    return done;
}

}  // namespace nimes::agent::engine
